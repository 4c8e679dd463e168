package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

// etcdGrace is how long etcd may take to end: it has nothing to hand over.
const etcdGrace = 5 * time.Second

// etcd is the one store of all clusters.
type etcd struct {
	*process
	dir    string
	url    string // of clients
	peers  string // unused by a single member, but etcd wants it
	client *http.Client
}

func newEtcd(dir string) (*etcd, error) {
	port, err := reservePort()
	if err != nil {
		return nil, err
	}
	peerPort, err := reservePort()
	if err != nil {
		return nil, err
	}
	return &etcd{
		dir:    dir,
		url:    fmt.Sprintf("http://127.0.0.1:%d", port),
		peers:  fmt.Sprintf("http://127.0.0.1:%d", peerPort),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}, nil
}

// start runs etcd and waits until it serves. What an earlier run left in the
// directory is served again.
func (e *etcd) start(ctx context.Context, spawn spawner) (err error) {
	e.process, err = spawn.start("etcd", filepath.Join(e.dir, "etcd.log"), "etcd",
		"--name=kube",
		"--data-dir="+filepath.Join(e.dir, "etcd"),
		"--listen-client-urls="+e.url, "--advertise-client-urls="+e.url,
		"--listen-peer-urls="+e.peers, "--initial-advertise-peer-urls="+e.peers,
		"--initial-cluster=kube="+e.peers,
		"--socket-reuse-port",              // see reservePort
		"--unsafe-no-fsync",                // survives a crash of its own, which is enough for tests
		"--quota-backend-bytes=4294967296", // the default of 2 GiB ends a long benchmark
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	return waitReady(ctx, e.process, func(ctx context.Context) error {
		return get(ctx, e.client, e.url+"/readyz", "")
	})
}

// stop lets it close its files in order, so that its directory can be copied.
func (e *etcd) stop() {
	if e.process != nil {
		e.terminate(etcdGrace)
	}
}

// deletePrefix removes every key under prefix, through etcd's JSON gateway: one
// request is not worth a client library.
func (e *etcd) deletePrefix(ctx context.Context, prefix string) error {
	end := []byte(prefix)
	end[len(end)-1]++ // the first key after all that start with prefix
	body, err := json.Marshal(map[string][]byte{"key": []byte(prefix), "range_end": end})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/v3/kv/deleterange", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("etcd: delete %s: %s: %s", prefix, response.Status, text)
	}
	return nil
}
