/* CRC-32 by table, a byte at a time, over a buffer that changes: dependent loads. */
#include "kernel.h"

#define BUFFER_SIZE 16384
#define POLYNOMIAL 0xedb88320U

const char kernel_name[] = "crc";

static uint32_t table[256];
static uint8_t buffer[BUFFER_SIZE];

static void fill_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t value = byte;

		for (int bit = 0; bit < 8; bit++)
			value = (value >> 1) ^ (value & 1 ? POLYNOMIAL : 0);
		table[byte] = value;
	}
}

static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t size)
{
	crc = ~crc;
	while (size-- > 0)
		crc = table[(crc ^ *data++) & 0xff] ^ (crc >> 8);
	return ~crc;
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t crc = 0;

	fill_table();
	for (size_t i = 0; i < BUFFER_SIZE; i++)
		buffer[i] = (uint8_t)(i * 31 + (i >> 8));
	while (iterations-- > 0) {
		crc = crc32(crc, buffer, BUFFER_SIZE);
		buffer[crc % BUFFER_SIZE] ^= (uint8_t)crc;
	}
	return crc;
}
