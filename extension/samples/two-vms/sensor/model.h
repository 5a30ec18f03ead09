/* A simulated room: temperature follows a target with inertia and noise, pressure drifts. All in fixed point. */
#ifndef SENSOR_MODEL_H
#define SENSOR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sensor-protocol.h"

#define MODEL_HISTORY_SIZE 32U /* a power of two */

struct model {
	int32_t temperature_q16; /* degrees, 16 fractional bits */
	int32_t target_q16;
	int32_t pressure_pascals;
	uint32_t noise_state;
	uint32_t reading_count;
	struct sensor_reading history[MODEL_HISTORY_SIZE];
	struct {
		uint32_t count;
		struct sensor_calibration_point points[SENSOR_CALIBRATION_POINTS];
	} calibration;
};

void model_init(struct model *model);
void model_set_target(struct model *model, int32_t millidegrees);

/* Returns false, and changes nothing, unless the raw values rise from point to point. */
bool model_calibrate(struct model *model, const struct sensor_calibration_point *points, uint32_t count);

/* Advances the room by one step and stores a reading. */
void model_step(struct model *model);

/* The reading `age` steps ago; NULL if there is none or it was overwritten. */
const struct sensor_reading *model_reading(const struct model *model, uint32_t age);

#endif
