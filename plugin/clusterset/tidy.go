package clusterset

import (
	"runtime/debug"
	"time"
)

// tidyAfter is how long no member's data came in before the garbage of their lists
// is given back.
const tidyAfter = time.Second

// tidy gives the memory back that lists have left behind: several times what is
// kept of them. By itself Go keeps it for minutes, and Kubernetes counts it
// towards the container's limit. However many members there are, it is done once.
var tidy = time.AfterFunc(time.Hour, debug.FreeOSMemory)

func init() { tidy.Stop() }

// tidyWhenSynced has memory tidied soon after the member's first list.
func (m *memberAPI) tidyWhenSynced() {
	select {
	case <-m.Synced():
		tidy.Reset(tidyAfter)
	case <-m.released:
	}
}
