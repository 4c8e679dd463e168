package transport

// Drop is why a reply was dropped.
type Drop uint8

const (
	// DropUnknown is a reply whose id no pending query has: late, a duplicate, or forged.
	DropUnknown Drop = iota
	// DropQuestion is one to another question, or none at all.
	DropQuestion
	// DropShort is one shorter than a message's header.
	DropShort
	// Drops is how many there are.
	Drops
)

var dropNames = [Drops]string{"unknown_id", "other_question", "too_short"}

func (d Drop) String() string { return dropNames[d] }
