package exchange

import (
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	const ms = time.Millisecond
	many := func(n int, d time.Duration) []time.Duration {
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = d
		}
		return all
	}
	tests := []struct {
		name        string
		samples     []time.Duration
		median, p95 time.Duration // a fifth more is right too; 0 is unknown
	}{
		{"nothing", nil, 0, 0},
		{"too few", many(firstRead-1, ms), 0, 0},
		{"enough", many(firstRead, ms), ms, ms},
		{"one in a hundred is slow", append(many(8*readEvery-5, ms), many(5, 200*ms)...), ms, ms},
		{"one in ten is slow", append(many(readEvery*9/10, ms), many(readEvery/10+1, 200*ms)...), ms, 200 * ms},
		{"it became slow", append(many(2*recent, ms), many(2*recent, 50*ms)...), 50 * ms, 50 * ms},
		{"it became quick", append(many(2*recent, 50*ms), many(8*recent, ms)...), ms, ms},
		{"nothing at all", many(firstRead, 0), time.Microsecond, time.Microsecond},
		{"for ever", many(firstRead, time.Hour), 1 << 27 * time.Microsecond, 1 << 27 * time.Microsecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l latency
			for _, d := range tt.samples {
				l.add(d)
			}
			for what, q := range map[string]struct{ got, want time.Duration }{
				"median": {time.Duration(l.median.Load()), tt.median},
				"p95":    {time.Duration(l.p95.Load()), tt.p95},
			} {
				if q.got < q.want || q.got > q.want*5/4 {
					t.Errorf("%s %v, want %v or a little more", what, q.got, q.want)
				}
			}
			l.forget()
			if l.p95.Load() != 0 {
				t.Error("not forgotten")
			}
		})
	}
}

// TestBuckets: they follow one another, and each ends where the next begins.
func TestBuckets(t *testing.T) {
	for i := range buckets - 1 {
		end := upperBound(i)
		if got := bucketOf(end); end >= perOctave*time.Microsecond && got != i+1 {
			t.Errorf("%v, the end of bucket %d, is in bucket %d", end, i, got)
		}
	}
}

func TestRetransmissionTimeout(t *testing.T) {
	for p95, want := range map[time.Duration]time.Duration{
		0:                      unknownRTO,
		100 * time.Microsecond: minRTO,
		40 * time.Millisecond:  120 * time.Millisecond,
		time.Second:            maxRTO,
	} {
		if got := retransmissionTimeout(p95); got != want {
			t.Errorf("p95 %v: %v, want %v", p95, got, want)
		}
	}
}
