/*
 * The primary VM. Introduces itself, finds the VM "sensor" through the Resource Manager, starts it, asks it for
 * readings over a message queue, and switches everything off in the end.
 *
 * Good places for a breakpoint: send_request(), handle_sample(), and the event hvc:msgqueue_send.
 */
#include "common/sensor-protocol.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gunyah.h"
#include "sdk/queue.h"
#include "sdk/rm.h"
#include "sdk/string.h"
#include "sdk/timer.h"

#define ROUND_COUNT 20
#define REQUESTS_IN_FLIGHT_MAX 3
#define ANSWERS_PER_DOORBELL 4
#define ROUND_PERIOD_US 2000

/* A request that was sent and not yet answered. */
struct pending_request {
	struct pending_request *next;
	uint32_t id;
	enum sensor_command command;
	uint64_t sent_at_us;
};

struct statistics {
	uint32_t requests;
	uint32_t answers;
	uint32_t doorbells;
	uint64_t bytes_sent;
	int32_t coldest, warmest;
	uint64_t waiting_us_total;
};

/* The sensor as the primary sees it. */
struct sensor_link {
	uint16_t vmid;
	struct queue queue;
	cap_id_t doorbell;
	struct pending_request *pending; /* oldest first */
	struct pending_request slots[REQUESTS_IN_FLIGHT_MAX];
	uint32_t next_id;
	struct statistics statistics;
};

static struct rm rm;
static struct sensor_link sensor = { .doorbell = CAP_ID_INVALID };

static const char *const command_names[] = {
	[SENSOR_PING] = "ping",           [SENSOR_READ] = "read",           [SENSOR_CONFIGURE] = "configure",
	[SENSOR_CALIBRATE] = "calibrate", [SENSOR_GET_HISTORY] = "history", [SENSOR_STOP] = "stop",
};

/* ---- Who am I, what have I got ---- */

static void print_identity(void)
{
	static const char *const features[] = {
		"partition/cspace", "doorbell", "msgqueue", "vic",         "vpm",  "vcpu",
		"memextent",        "trace",    "watchdog", "virtio-mmio", "prng", "vcpu_run",
	};
	struct gunyah_identity identity = gunyah_hypervisor_identify();

	print("Hypervisor: API version %lu, %s-bit, variant 0x%02lx\n", identity.api_info & 0x3fff,
	      identity.api_info & (1UL << 15) ? "64" : "32", identity.api_info >> 56);
	print("  features 0x%lx:", identity.flags[0]);
	for (size_t bit = 0; bit < ARRAY_COUNT(features); bit++) {
		if (identity.flags[0] & (1UL << bit))
			print(" %s", features[bit]);
	}
	print("\n");
}

static void print_resource(const struct rm_resource *resource)
{
	print("  %-17s label 0x%02x  partner VM %3u  capability 0x%lx", rm_resource_type_name(resource->type),
	      resource->label, resource->partner_vmid, rm_resource_cap(resource));
	if (resource->virq != 0 && resource->virq != 0xffffffffU)
		print("  VIRQ %u", resource->virq);
	print("\n");
}

static void print_resources(const char *title, uint16_t vmid)
{
	struct rm_resource_list list;
	enum rm_error error = rm_get_resources(&rm, vmid, &list);

	if (error != RM_OK) {
		print("%s: RM answers %s\n", title, rm_error_name(error));
		return;
	}
	print("%s: %u\n", title, list.count);
	for (uint32_t i = 0; i < list.count; i++)
		print_resource(&list.entries[i]);
}

static void introduce_myself(void)
{
	uint16_t vmid = 0;
	enum rm_error error;

	print_identity();
	if (!board.has_tree || !rm_open(&rm, &board.fdt))
		panic("there is no Resource Manager in the device tree");
	error = rm_get_vmid(&rm, &vmid);
	if (error != RM_OK)
		panic("VM_GET_VMID: %s", rm_error_name(error));
	print("My VMID is %u\n", vmid);
	print_resources("Resources I share with myself", vmid);
}

/* ---- Finding and starting the sensor ---- */

static const struct rm_resource *find_resource(const struct rm_resource_list *list, enum rm_resource_type type,
					       uint32_t label)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct rm_resource *resource = &list->entries[i];

		if (resource->type == type && resource->label == label)
			return resource;
	}
	panic("no %s with label 0x%x", rm_resource_type_name(type), label);
}

static struct fdt_interrupt interrupt_of(const struct rm_resource *resource)
{
	return (struct fdt_interrupt){ .intid = resource->virq, .edge = true };
}

static void connect_to_sensor(void)
{
	static struct rm_resource_list list;
	const struct rm_resource *tx, *rx;
	enum rm_error error = rm_get_resources(&rm, sensor.vmid, &list);

	if (error != RM_OK)
		panic("VM_GET_HYP_RESOURCES: %s", rm_error_name(error));
	tx = find_resource(&list, RM_RESOURCE_MSGQUEUE_TX, SENSOR_QUEUE_LABEL);
	rx = find_resource(&list, RM_RESOURCE_MSGQUEUE_RX, SENSOR_QUEUE_LABEL);
	sensor.queue = (struct queue){
		.name = "sensor",
		.tx_cap = rm_resource_cap(tx),
		.rx_cap = rm_resource_cap(rx),
		.tx_irq = interrupt_of(tx),
		.rx_irq = interrupt_of(rx),
		.label = SENSOR_QUEUE_LABEL,
		.message_size_max = SENSOR_MESSAGE_MAX,
	};
	sensor.doorbell = rm_resource_cap(find_resource(&list, RM_RESOURCE_DOORBELL_TX, SENSOR_DOORBELL_LABEL));
	queue_open(&sensor.queue);
}

static void start_sensor(void)
{
	enum rm_vm_state state = RM_VM_NONE;
	enum rm_error error = rm_lookup_name(&rm, SENSOR_VM_NAME, &sensor.vmid);

	if (error != RM_OK)
		panic("no VM is called \"%s\": %s", SENSOR_VM_NAME, rm_error_name(error));
	error = rm_get_state(&rm, sensor.vmid, &state);
	print("VM \"%s\" has VMID %u and is %s\n", SENSOR_VM_NAME, sensor.vmid,
	      error == RM_OK ? rm_vm_state_name(state) : rm_error_name(error));
	print_resources("Resources I share with it", sensor.vmid);
	connect_to_sensor();

	error = rm_vm_start(&rm, sensor.vmid);
	if (error != RM_OK)
		panic("VM_START: %s", rm_error_name(error));
	if (!rm_wait_for_state(&rm, sensor.vmid, RM_VM_RUNNING))
		panic("the Resource Manager is gone");
	print("VM \"%s\" is running\n\n", SENSOR_VM_NAME);
}

/* ---- Talking to the sensor ---- */

static struct pending_request *append_pending(uint32_t id, enum sensor_command command)
{
	struct pending_request **link = &sensor.pending;
	struct pending_request *request = &sensor.slots[id % REQUESTS_IN_FLIGHT_MAX];

	while (*link != NULL)
		link = &(*link)->next;
	*request = (struct pending_request){ .id = id, .command = command, .sent_at_us = timer_now_us() };
	*link = request;
	return request;
}

/* Unlinks and returns the request with this id. */
static struct pending_request *take_pending(uint32_t id)
{
	for (struct pending_request **link = &sensor.pending; *link != NULL; link = &(*link)->next) {
		struct pending_request *request = *link;

		if (request->id == id) {
			*link = request->next;
			request->next = NULL;
			return request;
		}
	}
	return NULL;
}

static uint32_t count_pending(void)
{
	uint32_t count = 0;

	for (const struct pending_request *request = sensor.pending; request != NULL; request = request->next)
		count++;
	return count;
}

static void fill_calibration(struct sensor_request *request)
{
	request->u.calibrate.point_count = SENSOR_CALIBRATION_POINTS;
	for (int32_t i = 0; i < SENSOR_CALIBRATION_POINTS; i++) {
		request->u.calibrate.points[i] = (struct sensor_calibration_point){
			.raw = i * 200,
			.value = -20000 + i * 20000 + (i % 2 == 0 ? 150 : -150),
		};
	}
}

static void fill_configuration(struct sensor_request *request, uint32_t round)
{
	request->u.configure.period_us = 500 + 100 * (round % 4);
	request->u.configure.target_millidegrees = 21000 + (int32_t)round * 250;
	memcpy(request->u.configure.unit_name, "celsius", 8);
}

static enum sensor_command command_for_round(uint32_t round)
{
	if (round == 0)
		return SENSOR_PING;
	if (round == 1)
		return SENSOR_CALIBRATE;
	if (round % 6 == 2)
		return SENSOR_CONFIGURE;
	return round % 5 == 4 ? SENSOR_GET_HISTORY : SENSOR_READ;
}

static void build_request(struct sensor_request *request, enum sensor_command command, uint32_t round)
{
	memset(request, 0, sizeof(*request));
	request->command = (uint16_t)command;
	request->id = sensor.next_id++;
	request->size = SENSOR_REQUEST_HEADER_SIZE;
	switch (command) {
	case SENSOR_CONFIGURE:
		fill_configuration(request, round);
		request->size += sizeof(request->u.configure);
		break;
	case SENSOR_CALIBRATE:
		fill_calibration(request);
		request->size += sizeof(request->u.calibrate);
		break;
	case SENSOR_GET_HISTORY:
		request->u.history.first = round;
		request->u.history.count = SENSOR_HISTORY_MAX;
		request->size += sizeof(request->u.history);
		break;
	case SENSOR_PING:
	case SENSOR_READ:
	case SENSOR_STOP:
		break;
	}
}

static void send_request(enum sensor_command command, uint32_t round)
{
	struct sensor_request request;
	enum gunyah_error error;

	build_request(&request, command, round);
	append_pending(request.id, command);
	error = queue_send(&sensor.queue, &request, request.size);
	if (error != GUNYAH_OK)
		panic("msgqueue_send: %s", gunyah_error_name(error));
	sensor.statistics.requests++;
	sensor.statistics.bytes_sent += request.size;
}

static void ring_doorbell(uint64_t flags)
{
	enum gunyah_error error = gunyah_doorbell_send(sensor.doorbell, flags, NULL);

	if (error != GUNYAH_OK)
		panic("doorbell_send: %s", gunyah_error_name(error));
	sensor.statistics.doorbells++;
}

static void update_statistics(const struct sensor_sample *sample, const struct pending_request *request)
{
	struct statistics *statistics = &sensor.statistics;
	int32_t temperature = sample->latest.temperature_millidegrees;

	if (statistics->answers == 0 || temperature < statistics->coldest)
		statistics->coldest = temperature;
	if (statistics->answers == 0 || temperature > statistics->warmest)
		statistics->warmest = temperature;
	statistics->answers++;
	statistics->waiting_us_total += timer_now_us() - request->sent_at_us;
}

static void print_temperature(int32_t millidegrees)
{
	int32_t magnitude = millidegrees < 0 ? -millidegrees : millidegrees;

	print("%s%2d.%03d C", millidegrees < 0 ? "-" : " ", magnitude / 1000, magnitude % 1000);
}

static void print_row(const struct sensor_sample *sample, const struct pending_request *request)
{
	print("%4u  %-9s  %4u  ", sample->id, command_names[request->command], sample->latest.sequence);
	print_temperature(sample->latest.temperature_millidegrees);
	print("  %6u Pa  bells %2u", sample->latest.pressure_pascals, sample->doorbells_heard);
	if (sample->status != SENSOR_STATUS_OK)
		print("  status %u", sample->status);
	for (uint32_t i = 0; i < sample->history_count && i < SENSOR_HISTORY_MAX; i++)
		print("%s%d", i == 0 ? "  history " : " ", sample->history[i].temperature_millidegrees);
	print("\n");
}

static void handle_sample(const struct sensor_sample *sample)
{
	struct pending_request *request = take_pending(sample->id);

	if (request == NULL) {
		print("an answer to request %u, which was never sent\n", sample->id);
		return;
	}
	update_statistics(sample, request);
	print_row(sample, request);
	if (sensor.statistics.answers % ANSWERS_PER_DOORBELL == 0)
		ring_doorbell(SENSOR_BELL_ACKNOWLEDGED);
}

/* Waits for answers until at most `limit` requests are in flight. */
static void drain_answers(uint32_t limit)
{
	while (count_pending() > limit) {
		struct sensor_sample sample;
		size_t size;
		enum gunyah_error error = queue_receive(&sensor.queue, &sample, sizeof(sample), &size);

		if (error != GUNYAH_OK)
			panic("msgqueue_receive: %s", gunyah_error_name(error));
		if (size < SENSOR_SAMPLE_HEADER_SIZE)
			panic("an answer of only %lu bytes", size);
		handle_sample(&sample);
	}
}

static void talk_to_sensor(void)
{
	print("  id  command     seq  temperature    pressure\n");
	for (uint32_t round = 0; round < ROUND_COUNT; round++) {
		send_request(command_for_round(round), round);
		drain_answers(REQUESTS_IN_FLIGHT_MAX - 1);
		timer_sleep_us(ROUND_PERIOD_US);
	}
	drain_answers(0);
	ring_doorbell(SENSOR_BELL_HURRY);
	send_request(SENSOR_STOP, ROUND_COUNT);
	drain_answers(0);
}

static void wait_for_exit(void)
{
	struct rm_notification notification;

	do {
		notification = rm_next_notification(&rm);
		if (notification.id == 0)
			panic("the Resource Manager is gone");
		if (notification.id == RM_VM_STATUS)
			print("RM: VM %u is %s\n", notification.u.status.vmid,
			      rm_vm_state_name(notification.u.status.vm_state));
	} while (notification.id != RM_VM_EXITED || notification.u.exited.vmid != sensor.vmid);
	print("RM: VM %u exited, type %u, reason 0x%x\n", sensor.vmid, notification.u.exited.exit_type,
	      notification.u.exited.reason[0]);
}

static void print_summary(void)
{
	const struct statistics *statistics = &sensor.statistics;

	print("\n%u requests (%lu bytes), %u answers, %u doorbells; ", statistics->requests, statistics->bytes_sent,
	      statistics->answers, statistics->doorbells);
	print_temperature(statistics->coldest);
	print(" to ");
	print_temperature(statistics->warmest);
	print(", collected after %lu us on average\n", statistics->waiting_us_total / statistics->answers);
}

void guest_main(void)
{
	print("primary: hello\n");
	introduce_myself();
	start_sensor();
	talk_to_sensor();
	wait_for_exit();
	print_summary();
	print("primary: done\n");
}
