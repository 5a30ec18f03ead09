/*
 * Prints a checksum of each function of the C library's mathematics over many arguments, in each rounding mode, and which floating-point
 * exceptions they raised. NaNs count as one value.
 */
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENT_COUNT 160

static uint64_t state = 88172645463325252ULL;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* Ordinary numbers, tiny and huge ones, and any bits at all. */
static double argument(unsigned int i)
{
	static const double special[] = { 0.0, -0.0, 1.0, -1.0, 0.5, INFINITY, -INFINITY, NAN, 4.9e-324, 1.7e308, 2.2250738585072014e-308, M_PI, 1e22, -710.5 };
	uint64_t bits = next();
	double value;

	if (i < sizeof(special) / sizeof(special[0]))
		return special[i];
	if (i % 4 == 0) {
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
	return ((double)(int64_t)bits / 9.3e18) * (i % 4 == 1 ? 1.0 : i % 4 == 2 ? 40.0 : 3000.0);
}

static uint64_t checksum;

static void add(const void *bytes, unsigned int size, int is_nan)
{
	const unsigned char *at = bytes;

	for (unsigned int i = 0; i < size; i++)
		checksum = (checksum ^ (is_nan ? 0x7f : at[i])) * 0x100000001b3ULL;
}

static void add_double(double value) { add(&value, sizeof(value), isnan(value)); }
static void add_float(float value) { add(&value, sizeof(value), isnan(value)); }
static void add_long(long double value) { add(&value, sizeof(value), isnan(value)); }

#define ONE(name) { #name, name, name##f, name##l }
#define TWO(name) { #name, name, name##f, name##l }

static const struct { const char *name; double (*d)(double); float (*f)(float); long double (*l)(long double); } ones[] = {
	ONE(sin), ONE(cos), ONE(tan), ONE(asin), ONE(acos), ONE(atan), ONE(sinh), ONE(cosh), ONE(tanh), ONE(asinh), ONE(acosh), ONE(atanh),
	ONE(exp), ONE(exp2), ONE(expm1), ONE(log), ONE(log2), ONE(log10), ONE(log1p), ONE(sqrt), ONE(cbrt), ONE(erf), ONE(erfc),
	ONE(tgamma), ONE(lgamma), ONE(floor), ONE(ceil), ONE(rint), ONE(nearbyint), ONE(trunc), ONE(round), ONE(fabs), ONE(logb),
};
static const struct { const char *name; double (*d)(double, double); float (*f)(float, float); long double (*l)(long double, long double); } twos[] = {
	TWO(pow), TWO(atan2), TWO(fmod), TWO(remainder), TWO(hypot), TWO(fdim), TWO(fmax), TWO(fmin), TWO(copysign), TWO(nextafter),
};
static const struct { const char *name; int mode; } modes[] = { { "nearest", FE_TONEAREST }, { "up", FE_UPWARD }, { "down", FE_DOWNWARD }, { "zero", FE_TOWARDZERO } };

static void begin(void)
{
	checksum = 0xcbf29ce484222325ULL;
	feclearexcept(FE_ALL_EXCEPT);
}

static void end(const char *kind, const char *name, const char *mode)
{
	int raised = fetestexcept(FE_ALL_EXCEPT);

	fesetround(FE_TONEAREST);
	printf("%s %s %s %016llx %x\n", kind, name, mode, (unsigned long long)checksum, raised);
}

static void run_mode(int mode, const char *mode_name)
{
	for (unsigned int f = 0; f < sizeof(ones) / sizeof(ones[0]); f++) {
		begin();
		fesetround(mode);
		for (unsigned int i = 0; i < ARGUMENT_COUNT; i++) {
			double x = argument(i);

			add_double(ones[f].d(x));
			add_float(ones[f].f((float)x));
			if (i % 8 == 0)
				add_long(ones[f].l((long double)x));
		}
		end("one", ones[f].name, mode_name);
	}
	for (unsigned int f = 0; f < sizeof(twos) / sizeof(twos[0]); f++) {
		begin();
		fesetround(mode);
		for (unsigned int i = 0; i < ARGUMENT_COUNT; i++) {
			double x = argument(i), y = argument(i + 20);

			add_double(twos[f].d(x, y));
			add_float(twos[f].f((float)x, (float)y));
			if (i % 8 == 0)
				add_long(twos[f].l((long double)x, (long double)y));
		}
		end("two", twos[f].name, mode_name);
	}
	begin();
	fesetround(mode);
	for (unsigned int i = 0; i < ARGUMENT_COUNT; i++) {
		double x = argument(i), y = argument(i + 20), z = argument(i + 40);
		complex double c = cexp(CMPLX(fmod(x, 50.0), fmod(y, 50.0)));

		add_double(fma(x, y, z));
		add_float(fmaf((float)x, (float)y, (float)z));
		add_double(creal(c) + cimag(c));
		add_double(x * y + z / (y == 0 ? 1 : y));
		add_double((double)(float)x);
		add_double((double)llrint(fmod(x, 1e15)));
		add_double(ldexp(x, (int)(i % 64) - 32));
	}
	end("mixed", "arithmetic", mode_name);
}

int main(void)
{
	for (unsigned int m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
		run_mode(modes[m].mode, modes[m].name);
	return 0;
}
