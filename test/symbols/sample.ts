/** The C program that most symbol tests are about. */

/** One source of every kind of type, scope and call that the tests look at. */
export const SAMPLE_C = `
typedef unsigned char uint8_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;

enum colour { RED, GREEN = 5, BLUE };
enum negative { MINUS = -3, PLUS = 3 };

struct point { int x; int y; };

union word { uint32_t whole; uint8_t bytes[4]; };

struct flags { unsigned ready : 1; unsigned mode : 3; int level : 5; uint64_t wide : 40; };

struct node {
  struct node *next;
  const char *name;
  struct point where;
  union word data;
  enum colour colour;
  int matrix[2][3];
  struct flags flags;
  int (*compare)(const struct node *, const struct node *);
  union { int left; unsigned right; };
  volatile uint32_t *const registers;
};

static struct node first;
struct node second = { .next = &first, .name = "second", .where = { 3, 4 }, .colour = BLUE };
int counter = 41;
static volatile int hidden = 7;
const char *const greeting = "hello";
double ratio_unused;
_Bool flag = 1;
char letter = 'a';
long long big = -5;
int table[4] = { 1, 2, 3, 4 };
void *nothing;
int (*handler)(int, char *);
int (*rows)[3];

static inline __attribute__((always_inline)) int twice(int value) {
  int doubled = value * 2;        /* doubled */
  hidden = doubled;
  return doubled + counter;
}

__attribute__((noinline)) int leaf(int a, int b) {
  static int calls;
  calls++;                        /* calls */
  if (a > b) {
    int difference = a - b;       /* difference */
    hidden = difference;
    return difference;
  }
  return b;                       /* return b */
}

__attribute__((noinline)) int middle(struct point *p, uint64_t size) {
  int total = 0;
  for (uint64_t i = 0; i < size; i++) {
    total += leaf(p->x, (int)i);  /* call leaf */
  }
  total += twice(total);          /* inlined */
  return total + p->y;
}

__attribute__((noinline)) int vla(int n) {
  int values[n];                  /* vla */
  for (int i = 0; i < n; i++) values[i] = i;
  hidden = values[n - 1];
  return values[0] + leaf(values[n - 1], n);
}

int main(void) {
  struct point p = { 10, 20 };
  int result = middle(&p, 3);     /* call middle */
  result += vla(result & 7);
  if (nothing) result += handler(1, &letter);
  if (rows) result += rows[0][1];
  second.flags.level = result;
  first.data.whole = result;
  hidden = sizeof(enum negative) + MINUS;
  enum negative sign = (enum negative)result;
  return result + sign;           /* end of main */
}
`;
