#include "model.h"

#include <stddef.h>

#include "sdk/string.h"

#define Q16_ONE 65536
#define INERTIA 12
#define PRESSURE_MEAN 101325

static inline int32_t q16_from_millidegrees(int32_t millidegrees)
{
	return (int32_t)((int64_t)millidegrees * Q16_ONE / 1000);
}

static inline int32_t millidegrees_from_q16(int32_t value)
{
	return (int32_t)((int64_t)value * 1000 / Q16_ONE);
}

/* A xorshift generator: the same noise in every run. */
static uint32_t next_noise(struct model *model)
{
	uint32_t x = model->noise_state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	model->noise_state = x;
	return x;
}

static int32_t noise_between(struct model *model, int32_t low, int32_t high)
{
	return low + (int32_t)(next_noise(model) % (uint32_t)(high - low + 1));
}

void model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
	model->temperature_q16 = q16_from_millidegrees(18500);
	model->target_q16 = q16_from_millidegrees(21000);
	model->pressure_pascals = PRESSURE_MEAN;
	model->noise_state = 0x2545f491;
}

void model_set_target(struct model *model, int32_t millidegrees)
{
	model->target_q16 = q16_from_millidegrees(millidegrees);
}

bool model_calibrate(struct model *model, const struct sensor_calibration_point *points, uint32_t count)
{
	if (count < 2 || count > SENSOR_CALIBRATION_POINTS)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		if (points[i].raw <= points[i - 1].raw)
			return false;
	}
	memcpy(model->calibration.points, points, count * sizeof(points[0]));
	model->calibration.count = count;
	return true;
}

/* What an analogue converter would deliver: 0 at -20 degrees, 1000 at 80 degrees. */
static int32_t raw_from_temperature(const struct model *model)
{
	return (millidegrees_from_q16(model->temperature_q16) + 20000) / 100;
}

static int32_t interpolate(const struct sensor_calibration_point *from, const struct sensor_calibration_point *to,
			   int32_t raw)
{
	return from->value + (raw - from->raw) * (to->value - from->value) / (to->raw - from->raw);
}

static int32_t calibrated_millidegrees(const struct model *model)
{
	const struct sensor_calibration_point *points = model->calibration.points;
	int32_t raw = raw_from_temperature(model);
	uint32_t i = 1;

	if (model->calibration.count == 0)
		return millidegrees_from_q16(model->temperature_q16);
	while (i + 1 < model->calibration.count && raw > points[i].raw)
		i++;
	return interpolate(&points[i - 1], &points[i], raw);
}

void model_step(struct model *model)
{
	struct sensor_reading *reading = &model->history[model->reading_count % MODEL_HISTORY_SIZE];
	int32_t gap = model->target_q16 - model->temperature_q16;

	model->temperature_q16 += gap / INERTIA + noise_between(model, -Q16_ONE / 16, Q16_ONE / 16);
	model->pressure_pascals += (PRESSURE_MEAN - model->pressure_pascals) / 8 + noise_between(model, -30, 30);
	*reading = (struct sensor_reading){
		.sequence = model->reading_count,
		.temperature_millidegrees = calibrated_millidegrees(model),
		.pressure_pascals = (uint32_t)model->pressure_pascals,
	};
	model->reading_count++;
}

const struct sensor_reading *model_reading(const struct model *model, uint32_t age)
{
	if (age >= model->reading_count || age >= MODEL_HISTORY_SIZE)
		return NULL;
	return &model->history[(model->reading_count - 1 - age) % MODEL_HISTORY_SIZE];
}
