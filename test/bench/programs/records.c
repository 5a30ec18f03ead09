/*
 * The kind of work that Dhrystone stands for: records behind pointers, strings that are copied and compared, small functions with
 * parameters by value and by reference, enumerations, globals, arrays with computed indexes. Integers only.
 */
#include "kernel.h"

#define NAME_LENGTH 32
#define TABLE_ORDER 40

const char kernel_name[] = "records";

enum colour { RED, GREEN, BLUE, YELLOW, WHITE };

struct record {
	struct record *peer;
	enum colour colour;
	int amount;
	char name[NAME_LENGTH];
};

static struct record first, second;
static int total;
static char marker;
static int line[TABLE_ORDER];
static int table[TABLE_ORDER][TABLE_ORDER];

__attribute__((noinline)) static void copy_text(char *to, const char *from)
{
	while ((*to++ = *from++) != '\0')
		;
}

__attribute__((noinline)) static int compare_text(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

__attribute__((noinline)) static enum colour colour_of(char left, char right)
{
	char copy = left;

	if (copy != right)
		return RED;
	marker = copy;
	return GREEN;
}

__attribute__((noinline)) static int is_later(const char *a, const char *b)
{
	int at = 2;
	char letter = 'A';

	while (at <= 2) {
		if (colour_of(a[at], b[at + 1]) == RED) {
			letter = 'B';
			at++;
		} else {
			at += 3;
		}
	}
	if (letter >= 'W' && letter < 'Z')
		at = 7;
	if (letter == 'R')
		return 1;
	if (compare_text(a, b) > 0) {
		total += at + 7;
		return 1;
	}
	return 0;
}

__attribute__((noinline)) static void next_colour(enum colour given, enum colour *result)
{
	*result = given == BLUE ? given : YELLOW;
	switch (given) {
	case RED:
		*result = RED;
		break;
	case GREEN:
		*result = total > 100 ? RED : YELLOW;
		break;
	case BLUE:
		*result = GREEN;
		break;
	case WHITE:
		*result = BLUE;
		break;
	default:
		break;
	}
}

__attribute__((noinline)) static void add_up(int a, int b, int *sum)
{
	*sum = b + a + 2;
}

__attribute__((noinline)) static void fill_tables(int row, int value)
{
	int at = row + 5;

	line[at] = value;
	line[at + 1] = line[at];
	line[at + 30 - row] = at;
	for (int column = at; column <= at + 1; column++)
		table[at][column] = at;
	table[at][at - 1] += 1;
	table[(at + 20) % TABLE_ORDER][at] = line[at];
	total = 5;
}

__attribute__((noinline)) static void pass_on(struct record *from)
{
	struct record *to = from->peer;

	*to = first;
	from->amount = 5;
	to->amount = from->amount;
	to->peer = from->peer;
	if (to->colour == RED) {
		to->amount = 6;
		next_colour(from->colour, &to->colour);
		to->peer = first.peer;
		add_up(to->amount, 10, &to->amount);
	} else {
		*from = *from->peer;
	}
}

static uint32_t round_of_work(uint32_t seed)
{
	char text[NAME_LENGTH];
	int one = 2, two = (int)(seed & 15), three = 0;
	enum colour colour = GREEN;
	uint32_t checksum = seed;

	first.colour = (enum colour)(seed % 3);
	first.amount = 40;
	copy_text(first.name, "A RECORD WITH A LONGISH NAME, 1");
	copy_text(text, "A RECORD WITH A LONGISH NAME, 2");
	if (!is_later(first.name, text))
		colour = RED;
	while (one < two) {
		three = 5 * one - two;
		add_up(one, two, &three);
		one++;
	}
	fill_tables(one & 7, three);
	pass_on(&first);
	for (char letter = 'A'; letter <= 'C' + (char)(seed & 3); letter++) {
		if (colour == colour_of(letter, 'C')) {
			next_colour(RED, &colour);
			copy_text(text, "A RECORD WITH A LONGISH NAME, 3");
			two = letter;
		}
	}
	two = two * one;
	one = two / (three | 1);
	two = 7 * (two - three) - one;
	checksum = kernel_mix(checksum, (uint32_t)(one + two + three + total + marker));
	checksum = kernel_mix(checksum, (uint32_t)(second.amount + (int)second.colour + text[30]));
	return checksum + (uint32_t)table[10][10] + (uint32_t)line[8];
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t checksum = 1;

	first.peer = &second;
	second.peer = &first;
	for (uint32_t i = 0; i < iterations; i++)
		checksum = kernel_mix(checksum, round_of_work(checksum));
	return checksum;
}
