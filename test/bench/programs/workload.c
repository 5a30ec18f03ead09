/*
 * The kind of work that CoreMark stands for: a linked list that is searched, reversed and sorted by functions behind pointers, matrices
 * of 16-bit numbers multiplied in several ways, a state machine over text that it also damages and mends, and a 16-bit checksum of it all.
 */
#include "kernel.h"

#define ITEM_COUNT 96
#define ORDER 14
#define TEXT_SIZE 512

const char kernel_name[] = "workload";

struct data {
	int16_t key;
	int16_t index;
};

struct item {
	struct item *next;
	struct data *data;
};

typedef int32_t (*comparison)(struct data *a, struct data *b, uint32_t seed);

static struct item items[ITEM_COUNT];
static struct data contents[ITEM_COUNT];
static int16_t left[ORDER * ORDER], right[ORDER * ORDER];
static int32_t product[ORDER * ORDER];
static uint8_t text[TEXT_SIZE];

static uint16_t crc_byte(uint8_t byte, uint16_t crc)
{
	for (uint32_t bit = 0; bit < 8; bit++) {
		uint32_t carry = (byte ^ crc) & 1;

		crc >>= 1;
		byte >>= 1;
		if (carry != 0)
			crc ^= 0xa001;
	}
	return crc;
}

static uint16_t crc_word(uint32_t word, uint16_t crc)
{
	crc = crc_byte((uint8_t)word, crc);
	crc = crc_byte((uint8_t)(word >> 8), crc);
	crc = crc_byte((uint8_t)(word >> 16), crc);
	return crc_byte((uint8_t)(word >> 24), crc);
}

static uint16_t matrix_work(int16_t value);
static uint16_t state_work(uint16_t step);

/* What a key stands for: work whose result is remembered in the key's upper half. */
static int16_t worked_out(struct data *data, uint32_t seed)
{
	uint16_t result;

	if ((data->key & 0x80) != 0)
		return data->key & 0x7f;
	result = (data->key & 1) != 0 ? matrix_work((int16_t)(seed & 0xfff)) : state_work((uint16_t)(data->key & 0x3f));
	data->key = (int16_t)((data->key & 0x7f00) | 0x80 | (result & 0x7f));
	return (int16_t)(result & 0x7f);
}

static int32_t by_work(struct data *a, struct data *b, uint32_t seed)
{
	return worked_out(a, seed) - worked_out(b, seed);
}

static int32_t by_index(struct data *a, struct data *b, uint32_t seed)
{
	(void)seed;
	a->key = (int16_t)((a->key & 0xff00) | (0xff & (a->key >> 8)));
	return a->index - b->index;
}

static struct item *make_list(uint32_t seed)
{
	for (uint32_t i = 0; i < ITEM_COUNT; i++) {
		uint32_t key = (seed * 31 + i * 7) & 0x7f;

		items[i].next = i + 1 < ITEM_COUNT ? &items[i + 1] : NULL;
		items[i].data = &contents[i];
		contents[i].index = (int16_t)i;
		contents[i].key = (int16_t)(key << 8 | (i % 24 == 0 ? key & 0x7f : 0x80 | key));
	}
	return items;
}

static struct item *find(struct item *list, int16_t key, int16_t index)
{
	while (list != NULL && (index >= 0 ? list->data->index != index : (list->data->key & 0xff) != key))
		list = list->next;
	return list;
}

static struct item *reverse(struct item *list)
{
	struct item *done = NULL;

	while (list != NULL) {
		struct item *next = list->next;

		list->next = done;
		done = list;
		list = next;
	}
	return done;
}

/* Merges runs of 1, 2, 4 … items until one run is left. */
static struct item *sort(struct item *list, comparison compare, uint32_t seed)
{
	for (uint32_t run = 1;; run *= 2) {
		struct item *from = list, *tail = NULL;
		uint32_t merges = 0;

		list = NULL;
		while (from != NULL) {
			struct item *a = from, *b = from;
			uint32_t a_left = 0, b_left = run;

			merges++;
			while (a_left < run && b != NULL) {
				a_left++;
				b = b->next;
			}
			while (a_left > 0 || (b_left > 0 && b != NULL)) {
				struct item **which = a_left == 0 ? &b : b_left == 0 || b == NULL || compare(a->data, b->data, seed) <= 0 ? &a : &b;
				struct item *taken = *which;

				if (which == &a)
					a_left--;
				else
					b_left--;
				*which = taken->next;
				if (tail != NULL)
					tail->next = taken;
				else
					list = taken;
				tail = taken;
			}
			from = b;
		}
		tail->next = NULL;
		if (merges <= 1)
			return list;
	}
}

static void multiply(void)
{
	for (uint32_t i = 0; i < ORDER; i++) {
		for (uint32_t j = 0; j < ORDER; j++) {
			int32_t sum = 0;

			for (uint32_t k = 0; k < ORDER; k++)
				sum += left[i * ORDER + k] * right[k * ORDER + j];
			product[i * ORDER + j] = sum;
		}
	}
}

static void multiply_bits(void)
{
	for (uint32_t i = 0; i < ORDER; i++) {
		for (uint32_t j = 0; j < ORDER; j++) {
			int32_t sum = 0;

			for (uint32_t k = 0; k < ORDER; k++) {
				int32_t value = left[i * ORDER + k] * right[k * ORDER + j];

				sum += ((value >> 2) & 0xf) * ((value >> 5) & 0x7f);
			}
			product[i * ORDER + j] = sum;
		}
	}
}

static uint16_t sum_up(int32_t limit)
{
	int32_t sum = 0, previous = 0;
	int16_t result = 0;

	for (uint32_t i = 0; i < ORDER * ORDER; i++) {
		int32_t now = product[i];

		sum += now;
		if (sum > limit) {
			result = (int16_t)(result + 10);
			sum = 0;
		} else {
			result = (int16_t)(result + (now > previous ? 1 : 0));
		}
		previous = now;
	}
	return (uint16_t)result;
}

static uint16_t matrix_work(int16_t value)
{
	int32_t limit = 0xf000 | value;
	uint16_t crc = 0;

	for (uint32_t i = 0; i < ORDER * ORDER; i++)
		left[i] = (int16_t)(left[i] + value);
	for (uint32_t i = 0; i < ORDER * ORDER; i++)
		product[i] = left[i] * value;
	crc = crc_word(sum_up(limit), crc);
	multiply();
	crc = crc_word(sum_up(limit), crc);
	multiply_bits();
	crc = crc_word(sum_up(limit), crc);
	for (uint32_t i = 0; i < ORDER * ORDER; i++)
		left[i] = (int16_t)(left[i] - value);
	return crc;
}

enum state { START, SIGN, WHOLE, POINT, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATE_COUNT };

static int is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static enum state step(enum state state, uint8_t c)
{
	switch (state) {
	case START:
		return is_digit(c) ? WHOLE : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
	case SIGN:
		return is_digit(c) ? WHOLE : c == '.' ? POINT : INVALID;
	case WHOLE:
		return is_digit(c) ? WHOLE : c == '.' ? POINT : INVALID;
	case POINT:
		return is_digit(c) ? POINT : c == 'e' || c == 'E' ? EXPONENT : INVALID;
	case EXPONENT:
		return c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
	case EXPONENT_SIGN:
	case SCIENTIFIC:
		return is_digit(c) ? SCIENTIFIC : INVALID;
	default:
		return state;
	}
}

static void count_states(uint32_t *finals, uint32_t *changes)
{
	enum state state = START;

	for (uint32_t i = 0; i < TEXT_SIZE && text[i] != 0; i++) {
		if (text[i] == ',') {
			finals[state]++;
			state = START;
			continue;
		}
		enum state next = step(state, text[i]);

		if (next != state)
			changes[next]++;
		state = next;
	}
}

static void damage(uint16_t stride)
{
	for (uint32_t i = 0; i < TEXT_SIZE; i += stride) {
		if (text[i] != ',' && text[i] != 0)
			text[i] ^= 0x20;
	}
}

static uint16_t state_work(uint16_t stride)
{
	uint32_t finals[STATE_COUNT] = { 0 }, changes[STATE_COUNT] = { 0 };
	uint16_t crc = 0;

	stride = (uint16_t)(stride < 3 ? 3 : stride);
	count_states(finals, changes);
	damage(stride);
	count_states(finals, changes);
	damage(stride);
	for (uint32_t i = 0; i < STATE_COUNT; i++) {
		crc = crc_word(finals[i], crc);
		crc = crc_word(changes[i], crc);
	}
	return crc;
}

static void make_text(void)
{
	static const char words[] = "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";

	for (uint32_t i = 0; i < TEXT_SIZE - 1; i++)
		text[i] = (uint8_t)words[i % (sizeof(words) - 1)];
	text[TEXT_SIZE - 1] = 0;
}

static uint16_t list_work(uint32_t seed)
{
	struct item *list = make_list(seed);
	uint16_t crc = 0;

	for (int16_t i = 0; i < 32; i++) {
		struct item *found = find(list, (int16_t)((i * 3) & 0xff), (i & 1) != 0 ? (int16_t)(i * 2) : -1);

		list = reverse(list);
		if (found != NULL && found->next != NULL) {
			struct item *moved = found->next;

			found->next = moved->next;
			moved->next = list->next;
			list->next = moved;
			crc = crc_word((uint32_t)moved->data->key, crc);
		}
	}
	list = sort(list, by_work, seed);
	for (struct item *item = list; item != NULL; item = item->next)
		crc = crc_word((uint32_t)item->data->key, crc);
	list = sort(list, by_index, seed);
	for (struct item *item = list; item != NULL; item = item->next)
		crc = crc_byte((uint8_t)item->data->key, crc);
	return crc;
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t checksum = 1;

	make_text();
	for (uint32_t i = 0; i < ORDER * ORDER; i++) {
		left[i] = (int16_t)((i * 13) & 0xff);
		right[i] = (int16_t)((i * 7 + 3) & 0x7f);
	}
	for (uint32_t i = 0; i < iterations; i++)
		checksum = kernel_mix(checksum, list_work(checksum & 0xffff));
	return checksum;
}
