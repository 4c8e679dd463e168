package exchange

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// latency is how long an upstream's replies took of late: a histogram, and two quantiles
// that are read from it now and then. Its methods may be called at the same time; a sample
// may be missed then.
type latency struct {
	buckets [buckets]atomic.Uint32
	count   atomic.Uint32
	// median and p95 are 0 before they are known, in nanoseconds.
	median, p95 atomic.Int64
}

const (
	// A bucket is a quarter of an octave, so that a quantile is at most a fifth too
	// high. They go from a microsecond to over a minute.
	perOctave, buckets = 4, 27 * perOctave
	// readEvery is after how many samples the quantiles are read; the first time
	// after firstRead.
	readEvery, firstRead = 64, 16
	// recent is how many samples count: then each counts half.
	recent = 512
)

// add adds a reply that took d. It reports whether the quantiles are new.
func (l *latency) add(d time.Duration) bool {
	l.buckets[bucketOf(d)].Add(1)
	n := l.count.Add(1)
	if n != firstRead && n%readEvery != 0 {
		return false
	}
	l.read()
	return true
}

// forget begins anew.
func (l *latency) forget() {
	for i := range l.buckets {
		l.buckets[i].Store(0)
	}
	l.count.Store(0)
	l.median.Store(0)
	l.p95.Store(0)
}

// bucketOf returns the bucket of d: its octave, and the two bits below the highest.
func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1))
	octave := bits.Len64(us) - 1
	quarter := us << 2 >> octave & (perOctave - 1)
	return min(octave*perOctave+int(quarter), buckets-1)
}

// upperBound returns the end of a bucket.
func upperBound(bucket int) time.Duration {
	octave, quarter := bucket/perOctave, bucket%perOctave
	return time.Duration(perOctave+quarter+1) << octave * time.Microsecond / perOctave
}

// read reads the quantiles, and halves what is old.
func (l *latency) read() {
	var counts [buckets]uint32
	var sum uint32
	for i := range l.buckets {
		counts[i] = l.buckets[i].Load()
		sum += counts[i]
	}
	l.median.Store(int64(quantile(&counts, sum/2)))
	l.p95.Store(int64(quantile(&counts, sum-sum/20)))
	if sum < recent {
		return
	}
	for i, n := range &counts { // a copy of them would be in a query's frame
		if n > 0 {
			l.buckets[i].Add(-(n / 2))
		}
	}
}

// quantile returns the end of the bucket that holds the nth sample.
func quantile(counts *[buckets]uint32, n uint32) time.Duration {
	var below uint32
	for i, count := range counts {
		below += count
		if below >= max(n, 1) {
			return upperBound(i)
		}
	}
	return 0
}

// retransmissionTimeout returns how long to wait for a reply before the query is sent
// again, where 95 of 100 replies take no longer than p95. A reply that comes later is still
// taken.
func retransmissionTimeout(p95 time.Duration) time.Duration {
	if p95 == 0 {
		return unknownRTO
	}
	return min(max(3*p95, minRTO), maxRTO)
}

const (
	// unknownRTO is for an upstream that hasn't answered yet: across an ocean
	// a reply takes 300 ms.
	unknownRTO = 400 * time.Millisecond
	// minRTO leaves a busy upstream, or a busy machine, some time.
	minRTO, maxRTO = 50 * time.Millisecond, 500 * time.Millisecond
)
