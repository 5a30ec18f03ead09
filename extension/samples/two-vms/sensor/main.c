/*
 * The sensor VM. Finds its queue pair and its doorbell in the device tree, samples a simulated room on a timer, answers
 * requests, and switches itself off when told to stop.
 *
 * It calls the hypervisor by the SMC Calling Convention, as Linux does; the primary uses Gunyah's native calls.
 */
#include "common/sensor-protocol.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/gunyah.h"
#include "sdk/queue.h"
#include "sdk/string.h"
#include "sdk/timer.h"
#include "model.h"

#define WORK_ITEMS_MAX 8
#define DEFAULT_PERIOD_US 500
#define PERIOD_US_MIN 50

/* A request that was received and not yet answered. */
struct work_item {
	struct work_item *next;
	struct sensor_request request;
	size_t size; /* as received; request.size is what the sender claims */
};

struct sensor {
	struct model model;
	struct queue queue;
	struct {
		cap_id_t cap;
		struct fdt_interrupt irq;
		volatile uint32_t rings;
		volatile uint64_t flags;
	} bell;
	struct work_item *work;      /* in the order of arrival */
	struct work_item *free_work;
	struct work_item work_items[WORK_ITEMS_MAX];
	uint32_t answered;
	bool stopping;
};

static struct sensor sensor;

/* ---- Interrupts ---- */

static void timer_tick(void *context)
{
	model_step(context);
}

/* Reads and clears all flags of the doorbell; the hypervisor rings again for the next one. */
static void bell_interrupt(uint32_t intid, void *context)
{
	uint64_t flags = 0;

	(void)intid;
	(void)context;
	if (gunyah_doorbell_receive(sensor.bell.cap, ~0UL, &flags) == GUNYAH_OK && flags != 0) {
		sensor.bell.rings++;
		sensor.bell.flags |= flags;
	}
}

/* ---- Start-up ---- */

static int find_vdevice(const char *compatible, uint32_t label)
{
	int node = fdt_find_compatible(&board.fdt, FDT_NONE, compatible);

	while (node >= 0 && fdt_get_u32(&board.fdt, node, "label", 0) != label)
		node = fdt_find_compatible(&board.fdt, node, compatible);
	if (node < 0)
		panic("no %s with label 0x%x in the device tree", compatible, label);
	return node;
}

static void open_queue(void)
{
	int node = find_vdevice("qcom,gunyah-message-queue", SENSOR_QUEUE_LABEL);

	if (!queue_from_tree(&sensor.queue, &board.fdt, node, "requests"))
		panic("malformed node %s", fdt_name(&board.fdt, node));
	queue_open(&sensor.queue);
	print("queue: send 0x%lx, receive 0x%lx, VIRQs %u and %u\n", sensor.queue.tx_cap, sensor.queue.rx_cap,
	      sensor.queue.tx_irq.intid, sensor.queue.rx_irq.intid);
}

static void open_doorbell(void)
{
	int node = find_vdevice("qcom,gunyah-doorbell", SENSOR_DOORBELL_LABEL);
	struct fdt_property reg;

	if (!fdt_get(&board.fdt, node, "reg", &reg) || !fdt_get_interrupt(&board.fdt, node, 0, &sensor.bell.irq))
		panic("malformed node %s", fdt_name(&board.fdt, node));
	sensor.bell.cap = fdt_cells64(&reg, 0, 2);
	gic_connect(sensor.bell.irq.intid, sensor.bell.irq.edge ? GIC_EDGE : GIC_LEVEL, "doorbell", bell_interrupt, NULL);
	print("doorbell: 0x%lx, VIRQ %u\n", sensor.bell.cap, sensor.bell.irq.intid);
}

static void init_work_items(void)
{
	for (size_t i = 0; i < WORK_ITEMS_MAX; i++) {
		sensor.work_items[i].next = sensor.free_work;
		sensor.free_work = &sensor.work_items[i];
	}
}

/* ---- Requests ---- */

static inline struct work_item *take_free_item(void)
{
	struct work_item *item = sensor.free_work;

	if (item != NULL) {
		sensor.free_work = item->next;
		item->next = NULL;
	}
	return item;
}

static inline void give_back_item(struct work_item *item)
{
	item->next = sensor.free_work;
	sensor.free_work = item;
}

static void append_work(struct work_item *item)
{
	struct work_item **link = &sensor.work;

	while (*link != NULL)
		link = &(*link)->next;
	*link = item;
}

/* Moves requests from the message queue to the work list until either end is exhausted. */
static void collect_requests(void)
{
	struct work_item *item;

	while ((item = take_free_item()) != NULL) {
		enum gunyah_error error =
			queue_try_receive(&sensor.queue, &item->request, sizeof(item->request), &item->size);

		if (error != GUNYAH_OK)
			panic("msgqueue_receive: %s", gunyah_error_name(error));
		if (item->size == 0) {
			give_back_item(item);
			return;
		}
		append_work(item);
	}
}

static enum sensor_status configure(const struct sensor_request *request)
{
	if (request->u.configure.period_us < PERIOD_US_MIN)
		return SENSOR_STATUS_BAD_VALUE;
	model_set_target(&sensor.model, request->u.configure.target_millidegrees);
	timer_start_periodic(request->u.configure.period_us, timer_tick, &sensor.model);
	return SENSOR_STATUS_OK;
}

static enum sensor_status calibrate(const struct sensor_request *request)
{
	const struct sensor_calibration_point *points = request->u.calibrate.points;

	return model_calibrate(&sensor.model, points, request->u.calibrate.point_count) ? SENSOR_STATUS_OK
											: SENSOR_STATUS_BAD_VALUE;
}

static void copy_history(struct sensor_sample *sample, uint32_t count)
{
	while (sample->history_count < count && sample->history_count < SENSOR_HISTORY_MAX) {
		const struct sensor_reading *reading = model_reading(&sensor.model, sample->history_count);

		if (reading == NULL)
			return;
		sample->history[sample->history_count++] = *reading;
	}
}

static uint32_t expected_size(enum sensor_command command)
{
	static const struct sensor_request *const shape = NULL;

	switch (command) {
	case SENSOR_CONFIGURE: return SENSOR_REQUEST_HEADER_SIZE + sizeof(shape->u.configure);
	case SENSOR_CALIBRATE: return SENSOR_REQUEST_HEADER_SIZE + sizeof(shape->u.calibrate);
	case SENSOR_GET_HISTORY: return SENSOR_REQUEST_HEADER_SIZE + sizeof(shape->u.history);
	default: return SENSOR_REQUEST_HEADER_SIZE;
	}
}

static enum sensor_status perform(const struct work_item *item, struct sensor_sample *sample)
{
	const struct sensor_request *request = &item->request;

	if (item->size < SENSOR_REQUEST_HEADER_SIZE || item->size != expected_size(request->command))
		return SENSOR_STATUS_BAD_SIZE;
	switch ((enum sensor_command)request->command) {
	case SENSOR_PING:
	case SENSOR_READ:
		return SENSOR_STATUS_OK;
	case SENSOR_CONFIGURE:
		return configure(request);
	case SENSOR_CALIBRATE:
		return calibrate(request);
	case SENSOR_GET_HISTORY:
		copy_history(sample, request->u.history.count);
		return SENSOR_STATUS_OK;
	case SENSOR_STOP:
		sensor.stopping = true;
		return SENSOR_STATUS_OK;
	}
	return SENSOR_STATUS_BAD_COMMAND;
}

static void fill_sample(struct sensor_sample *sample, const struct work_item *item)
{
	const struct sensor_reading *latest;

	memset(sample, 0, sizeof(*sample));
	sample->command = item->request.command;
	sample->id = item->request.id;
	sample->time_us = timer_now_us();
	sample->status = (uint16_t)perform(item, sample);
	latest = model_reading(&sensor.model, 0);
	if (latest != NULL)
		sample->latest = *latest;
	sample->readings_taken = sensor.model.reading_count;
	sample->doorbells_heard = sensor.bell.rings;
}

static void answer(const struct work_item *item)
{
	struct sensor_sample sample;
	uint64_t daif = irq_mask(); /* the timer interrupt must not change the model meanwhile */
	enum gunyah_error error;

	fill_sample(&sample, item);
	irq_restore(daif);
	error = queue_send(&sensor.queue, &sample,
			   SENSOR_SAMPLE_HEADER_SIZE + sample.history_count * sizeof(sample.history[0]));
	if (error != GUNYAH_OK)
		panic("msgqueue_send: %s", gunyah_error_name(error));
	sensor.answered++;
}

static void serve(void)
{
	uint64_t daif = irq_mask();

	while (!sensor.stopping) {
		struct work_item *item;

		collect_requests();
		item = sensor.work;
		if (item == NULL) {
			cpu_wait_for_interrupt();
			continue;
		}
		sensor.work = item->next;
		answer(item);
		give_back_item(item);
	}
	irq_restore(daif);
}

void guest_main(void)
{
	gunyah_set_path(GUNYAH_PATH_SMCCC);
	print("sensor: hello\n");
	if (!board.has_tree)
		panic("no device tree");
	init_work_items();
	model_init(&sensor.model);
	model_step(&sensor.model);
	open_queue();
	open_doorbell();
	timer_start_periodic(DEFAULT_PERIOD_US, timer_tick, &sensor.model);
	serve();
	timer_start_periodic(0, NULL, NULL);
	print("sensor: %u requests answered, %u readings, %u doorbells (flags 0x%lx); bye\n", sensor.answered,
	      sensor.model.reading_count, sensor.bell.rings, sensor.bell.flags);
}
