package clusterset

// Ready implements the ready plugin's Readiness: there is a ClusterSet.
func (p *Clusterset) Ready() bool { return p.snapshot.Load() != nil }
