package clusterset

import "testing"

// TestGatewaySeries: a member has the series of its gateway while that is probed, by an old and a
// new probe too.
func TestGatewaySeries(t *testing.T) {
	m := acquireSeries("probed-alone")
	before := seriesOf(t, "probed-alone")
	up, first := acquireGatewayMetrics("probed-alone")
	up.Set(1)
	_, second := acquireGatewayMetrics("probed-alone")
	first()
	if n := seriesOf(t, "probed-alone"); n != before+1 {
		t.Errorf("%d series of a gateway", n-before)
	}
	second()
	if n := seriesOf(t, "probed-alone"); n != before {
		t.Errorf("%d series of a gateway are left", n-before)
	}
	m.Release()
	if n := seriesOf(t, "probed-alone"); n != 0 {
		t.Errorf("%d series are left", n)
	}
}
