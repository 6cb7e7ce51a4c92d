/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How many events become records: a virtual schedule (GCRA, ITU-T I.371) for all events of a lane, and one for those of
 * a key, so that one key cannot take all the room. An event is admitted unless the schedule is ahead of the clock by
 * more than the burst.
 *
 * Neither locked nor atomic: two CPUs that admit at once may let one more pass, which harms nothing. While a limit
 * holds, the schedules are only read, so that a storm on many CPUs does not fight for their cache lines.
 *
 * Their clock is the jiffies: reading boot time costs 50 ns on a virtual machine, more than all of the counting.
 */
#ifndef LOSSLOG_LIMIT_H
#define LOSSLOG_LIMIT_H

static __always_inline __u64 schedule_now(void)
{
	return bpf_jiffies64() * BOUND_JIFFY_PARTS;
}

static __always_inline bool is_ahead(__u64 due, const volatile struct limit *limit, __u64 now)
{
	return limit->interval && due > now + limit->burst;
}

static __always_inline void advance_schedule(volatile __u64 *due, const volatile struct limit *limit, __u64 now)
{
	__u64 from = *due;

	if (limit->interval)
		*due = (from > now ? from : now) + limit->interval;
}

/* Spreads what tells keys apart (2^64 divided by the golden ratio; D. Knuth, TAOCP 6.4). */
static __always_inline __u64 spread(__u64 value)
{
	return value * 0x9e3779b97f4a7c15ULL;
}

/* Whether an event of this key becomes a record. */
static __always_inline bool is_admitted(__u32 lane, __u64 key)
{
	__u64 now = schedule_now();
	volatile __u64 *total = &due_total[lane][0];
	volatile __u64 *own = &due_key[lane][(spread(key) >> 48) & (LIMIT_PLACES - 1)];

	if (is_ahead(*own, &limit_key[lane], now) || is_ahead(*total, &limit_total[lane], now))
		return false;
	advance_schedule(own, &limit_key[lane], now);
	advance_schedule(total, &limit_total[lane], now);
	return true;
}

#endif
