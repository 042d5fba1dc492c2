/* A driver library of a few lines, for the tests of gpu. Built with
 *   OLD      only the first versions of the functions, and few of them, as a very old driver
 *   NOINIT   a library that is not NVML
 *   INIT=9   nvmlInit answers this code (9: kernel module not loaded)
 *   LOST     the second GPU falls off the bus from its third reading on
 */
#include <string.h>

typedef unsigned long long u64;
typedef unsigned int u32;
typedef struct { u32 gpu, memory; } utilization;
typedef struct { u64 total, free, used; } memory_v1;
typedef struct { u32 version; u64 total, reserved, free, used; } memory_v2;
static int handles[2] = {0, 1};
static int lost_after = 2;

#ifndef INIT
#define INIT 0
#endif
#ifdef OLD
#define NAME(f) f
#else
#define NAME(f) f##_v2
#endif

#ifdef NOINIT
int some_other_library(void) { return 0; }
#else
int NAME(nvmlInit)(void) { return INIT; }
int NAME(nvmlDeviceGetCount)(u32 *n) { *n = 2; return 0; }
int NAME(nvmlDeviceGetHandleByIndex)(u32 i, void **h) {
	if (i > 1) return 2;
	*h = &handles[i];
	return 0;
}
int nvmlDeviceGetName(void *h, char *s, u32 n) {
	strncpy(s, *(int *)h ? "Fake B\033[31m" : "Fake A", n);
	return 0;
}
int nvmlDeviceGetMemoryInfo(void *h, memory_v1 *m) {
	m->total = 1000; m->used = 300; m->free = 700;
	return 0;
}
#ifndef OLD
int nvmlDeviceGetUUID(void *h, char *s, u32 n) { strncpy(s, *(int *)h ? "GPU-b" : "GPU-a", n); return 0; }
int nvmlDeviceGetMemoryInfo_v2(void *h, memory_v2 *m) {
	if (m->version != (sizeof(*m) | 2 << 24)) return 25;
	m->total = 1000; m->reserved = 50; m->used = 250; m->free = 700;
	return 0;
}
int nvmlDeviceGetUtilizationRates(void *h, utilization *u) {
#ifdef LOST
	if (*(int *)h && lost_after-- <= 0) return 15;
#endif
	u->gpu = *(int *)h ? 7 : 91; u->memory = 1;
	return 0;
}
int nvmlDeviceGetPowerUsage(void *h, u32 *mw) { *mw = 412500; return *(int *)h ? 3 : 0; }
int nvmlDeviceGetEnforcedPowerLimit(void *h, u32 *mw) { *mw = 700000; return 0; }
int nvmlDeviceGetTemperature(void *h, int sensor, u32 *c) { *c = 58; return sensor; }
int nvmlDeviceGetClockInfo(void *h, int clock, u32 *mhz) { *mhz = clock == 1 ? 1980 : 1; return 0; }
int nvmlSystemGetDriverVersion(char *s, u32 n) { strncpy(s, "570.1", n); return 0; }
#endif
#endif
