/*
 * What programs ask of the kernel and of the CPU together: threads that share memory, signals on time, faults that are caught, memory that
 * changes its protection, code that is written and then executed, processes and pipes. Prints only what must be so.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 3000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static long under_lock;
static atomic_long shared;
static _Atomic __int128 wide;
static double sums[THREADS];

static void *work(void *argument)
{
	long own = (long)argument;
	double sum = 0;

	pthread_barrier_wait(&barrier);
	for (long i = 1; i <= ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		under_lock += own + 1;
		pthread_mutex_unlock(&lock);
		atomic_fetch_add(&shared, i);
		__int128 seen = atomic_load(&wide);
		while (!atomic_compare_exchange_weak(&wide, &seen, seen + ((__int128)1 << 64) + 1))
			;
		sum += 1.0 / (double)(i * (own + 1));
		if (i % 500 == 0)
			sched_yield();
	}
	sums[own] = sum;
	return NULL;
}

static void threads(void)
{
	pthread_t ids[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&ids[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	printf("threads %ld %ld %lld %lld\n", under_lock, atomic_load(&shared), (long long)(wide >> 64), (long long)wide);
	for (int i = 0; i < THREADS; i++)
		printf("sum %d %.17g\n", i, sums[i]);
}

static volatile sig_atomic_t alarms;
static double vector_before[4] = { 1.25, -2.5, 3.75, 1e300 };

static void on_alarm(int signal)
{
	volatile double noise = (double)alarms;

	(void)signal;
	for (int i = 0; i < 50; i++)
		noise = noise * 1.0001 + i;
	alarms++;
}

/* Registers of whoever is interrupted survive the handler. */
static void signals(void)
{
	struct itimerval every = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
	double a = vector_before[0], b = vector_before[1], c = vector_before[2];
	uint64_t integer = 1;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	while (alarms < 5) {
		for (int i = 0; i < 1000; i++) {
			a = a * -1.0;
			b = b * -1.0;
			c = c * -1.0;
			integer = integer * 6364136223846793005ULL + 1442695040888963407ULL;
		}
		if (a != 1.25 || b != -2.5 || c != 3.75)
			break;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	printf("signals %s %g %g %g\n", alarms >= 5 ? "all" : "lost registers", a, b, c);
}

static sigjmp_buf back;
static void *volatile fault_at;

static void on_fault(int signal, siginfo_t *information, void *context)
{
	(void)signal;
	(void)context;
	fault_at = information->si_addr;
	siglongjmp(back, information->si_code);
}

static void expect_fault(const char *name, volatile char *address, int write)
{
	int code = sigsetjmp(back, 1);

	if (code != 0) {
		printf("fault %s code %d at %s\n", name, code, fault_at == address ? "the address" : "another address");
		return;
	}
	if (write)
		*address = 1;
	else
		(void)*address;
	printf("no fault %s\n", name);
}

static void memory(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	size_t size = (size_t)sysconf(_SC_PAGESIZE) * 3;
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *code;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	memset(pages, 7, size);
	mprotect(pages + size / 3, size / 3, PROT_READ);
	mprotect(pages + size / 3 * 2, size / 3, PROT_NONE);
	expect_fault("write to read-only", pages + size / 3 + 5, 1);
	expect_fault("read of none", pages + size / 3 * 2 + 9, 0);
	expect_fault("read of page 0", (volatile char *)8, 0);
	expect_fault("read of read-only", pages + size / 3 + 5, 0);
	munmap(pages, size);
	expect_fault("read of unmapped", pages, 0);

	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uint32_t value = 1; value <= 3; value++) {
		code[0] = 0x52800000U | value << 5; /* mov w0, #value */
		code[1] = 0xd65f03c0U; /* ret */
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		printf("code %d\n", ((int (*)(void))code)());
	}
}

static void processes(void)
{
	int ends[2], status = 0;
	char text[64] = "";
	ssize_t got;

	fflush(stdout);
	if (pipe(ends) != 0)
		return;
	for (int i = 0; i < 3; i++) {
		if (fork() == 0) {
			/* A private copy of everything, the floating-point registers too. */
			vector_before[3] = i;
			got = write(ends[1], "x", 1);
			_exit(got == 1 ? 10 + i : 1);
		}
	}
	close(ends[1]);
	got = 0;
	for (ssize_t one; (one = read(ends[0], text, sizeof(text))) > 0;)
		got += one;
	int sum = 0;
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	printf("processes %zd %d %g\n", got, sum, vector_before[3]);
	if (fork() == 0)
		abort();
	wait(&status);
	printf("aborted by %d\n", WTERMSIG(status));
}

int main(void)
{
	threads();
	signals();
	memory();
	processes();
	return 0;
}
