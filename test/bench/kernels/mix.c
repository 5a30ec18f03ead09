/* A bit of everything a small embedded program does: a linked list, a matrix, a state machine over text. */
#include "kernel.h"

#define ITEM_COUNT 64
#define ORDER 12

const char kernel_name[] = "mix";

struct item {
	struct item *next;
	int16_t key;
	uint16_t data;
};

enum state { BETWEEN, SIGN, INTEGER, FRACTION, INVALID, STATE_COUNT };

static struct item items[ITEM_COUNT];
static int16_t left[ORDER][ORDER], right[ORDER][ORDER];
static int32_t product[ORDER][ORDER];

static const char text[] = "12,-7,+3.25,4x4,.5,,99.125,-0,hello,7e3,1234567,+-1,0.0.0,42;";

static struct item *build_list(uint32_t seed)
{
	for (uint32_t i = 0; i < ITEM_COUNT; i++) {
		items[i].next = i + 1 < ITEM_COUNT ? &items[i + 1] : NULL;
		items[i].key = (int16_t)((i * 37 + seed) & 0x7f);
		items[i].data = (uint16_t)(seed >> (i & 7));
	}
	return items;
}

static struct item *merge(struct item *a, struct item *b)
{
	struct item head;
	struct item *tail = &head;

	while (a != NULL && b != NULL) {
		struct item **smaller = a->key <= b->key ? &a : &b;

		tail->next = *smaller;
		tail = *smaller;
		*smaller = tail->next;
	}
	tail->next = a != NULL ? a : b;
	return head.next;
}

static struct item *sort_list(struct item *list, uint32_t count)
{
	struct item *middle = list;
	struct item *second;

	if (count < 2)
		return list;
	for (uint32_t i = 1; i < count / 2; i++)
		middle = middle->next;
	second = middle->next;
	middle->next = NULL;
	return merge(sort_list(list, count / 2), sort_list(second, count - count / 2));
}

static uint32_t list_part(uint32_t seed)
{
	uint32_t checksum = seed;

	for (const struct item *item = sort_list(build_list(seed), ITEM_COUNT); item != NULL; item = item->next)
		checksum = kernel_mix(checksum, ((uint32_t)(uint16_t)item->key << 16) | item->data);
	return checksum;
}

static uint32_t matrix_part(uint32_t seed)
{
	uint32_t checksum = 0;

	for (uint32_t i = 0; i < ORDER; i++) {
		for (uint32_t j = 0; j < ORDER; j++) {
			left[i][j] = (int16_t)(seed + i * 3 + j);
			right[i][j] = (int16_t)((seed >> 4) - i + j * 5);
		}
	}
	for (uint32_t i = 0; i < ORDER; i++) {
		for (uint32_t j = 0; j < ORDER; j++) {
			int32_t sum = 0;

			for (uint32_t k = 0; k < ORDER; k++)
				sum += left[i][k] * right[k][j];
			product[i][j] = sum;
			checksum = kernel_mix(checksum, (uint32_t)sum);
		}
	}
	return checksum;
}

static enum state next_state(enum state state, char c)
{
	if (c == ',' || c == ';')
		return BETWEEN;
	switch (state) {
	case BETWEEN:
		if (c == '+' || c == '-')
			return SIGN;
		/* fall through */
	case SIGN:
		if (c >= '0' && c <= '9')
			return INTEGER;
		return c == '.' ? FRACTION : INVALID;
	case INTEGER:
		if (c >= '0' && c <= '9')
			return INTEGER;
		return c == '.' ? FRACTION : INVALID;
	case FRACTION:
		return c >= '0' && c <= '9' ? FRACTION : INVALID;
	default:
		return INVALID;
	}
}

static uint32_t state_part(uint32_t seed)
{
	uint32_t counts[STATE_COUNT] = { 0 };
	enum state state = BETWEEN;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char c = text[i];

		if (((seed + i) & 31) == 0)
			c = 'x';
		state = next_state(state, c);
		counts[state]++;
	}
	return counts[BETWEEN] | counts[SIGN] << 5 | counts[INTEGER] << 10 | counts[FRACTION] << 18 | counts[INVALID] << 24;
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t checksum = 1;

	for (uint32_t i = 0; i < iterations; i++) {
		checksum = kernel_mix(checksum, list_part(checksum));
		checksum = kernel_mix(checksum, matrix_part(checksum));
		checksum = kernel_mix(checksum, state_part(checksum));
	}
	return checksum;
}
