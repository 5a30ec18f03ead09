/*
 * What primary and sensor say to each other. Requests go from primary to sensor over the message queue, answers come
 * back over the other half of the queue pair; the doorbell tells the sensor that the primary has seen its answers.
 */
#ifndef SENSOR_PROTOCOL_H
#define SENSOR_PROTOCOL_H

#include <stdint.h>

#define SENSOR_VM_NAME "sensor"
#define SENSOR_QUEUE_LABEL 0x10U
#define SENSOR_DOORBELL_LABEL 0x20U
#define SENSOR_MESSAGE_MAX 128U
#define SENSOR_CALIBRATION_POINTS 6
#define SENSOR_HISTORY_MAX 7

enum sensor_command {
	SENSOR_PING = 1,
	SENSOR_READ,
	SENSOR_CONFIGURE,
	SENSOR_CALIBRATE,
	SENSOR_GET_HISTORY,
	SENSOR_STOP,
};

enum sensor_status { SENSOR_STATUS_OK, SENSOR_STATUS_BAD_SIZE, SENSOR_STATUS_BAD_COMMAND, SENSOR_STATUS_BAD_VALUE };

/* Flags of the doorbell. */
enum sensor_bell {
	SENSOR_BELL_ACKNOWLEDGED = 1u << 0,
	SENSOR_BELL_HURRY = 1u << 1,
};

struct sensor_calibration_point {
	int32_t raw;
	int32_t value;
};

/* 8 bytes for PING, READ and STOP; 16 for GET_HISTORY; 24 for CONFIGURE; 64 for CALIBRATE. */
struct sensor_request {
	uint16_t command; /* enum sensor_command */
	uint16_t size;    /* of the whole message, in bytes */
	uint32_t id;      /* returned in the answer */
	union {
		struct {
			uint32_t first;
			uint32_t count;
		} history;
		struct {
			uint32_t period_us;
			int32_t target_millidegrees;
			uint8_t unit_name[8];
		} configure;
		struct {
			uint32_t point_count;
			uint32_t reserved;
			struct sensor_calibration_point points[SENSOR_CALIBRATION_POINTS];
		} calibrate;
	} u;
} __attribute__((aligned(8)));

#define SENSOR_REQUEST_HEADER_SIZE 8U

/* Fixed point: thousandths of a degree Celsius and pascals. */
struct sensor_reading {
	uint32_t sequence;
	int32_t temperature_millidegrees;
	uint32_t pressure_pascals;
};

/* The answer: always 40 bytes, and up to SENSOR_HISTORY_MAX more readings for GET_HISTORY. */
struct sensor_sample {
	uint16_t command;
	uint16_t status; /* enum sensor_status */
	uint32_t id;
	uint64_t time_us;
	struct sensor_reading latest;
	uint32_t readings_taken;
	uint32_t doorbells_heard;
	uint32_t history_count;
	struct sensor_reading history[SENSOR_HISTORY_MAX];
} __attribute__((aligned(8)));

#define SENSOR_SAMPLE_HEADER_SIZE 40U

_Static_assert(__builtin_offsetof(struct sensor_sample, history) == SENSOR_SAMPLE_HEADER_SIZE, "layout of an answer");
_Static_assert(sizeof(struct sensor_request) == 64, "layout of a request");
_Static_assert(sizeof(struct sensor_sample) <= SENSOR_MESSAGE_MAX, "an answer fits into one message");

#endif
