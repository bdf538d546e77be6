package admin_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/node/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T, cfg admin.Config) *admin.Server {
	t.Helper()
	well := func() admin.Health { return admin.Health{OK: true, Lines: []string{"well"}} }
	if cfg.Live == nil {
		cfg.Live = well
	}
	if cfg.Ready == nil {
		cfg.Ready = well
	}
	if cfg.Metrics == nil {
		cfg.Metrics = http.NotFoundHandler()
	}
	cfg.Address = "127.0.0.1:0"
	s, err := admin.Listen(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// ask gives status and text of one request on a connection of its own.
func ask(t *testing.T, s *admin.Server, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr().String()+path, nil)
	require.NoError(t, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestHealthIsToldInPlainText(t *testing.T) {
	s := listen(t, admin.Config{
		Live:  func() admin.Health { return admin.Health{OK: true, Lines: []string{"alive"}} },
		Ready: func() admin.Health { return admin.Health{Lines: []string{"recovering", "12 of 50 logs"}} },
	})
	for path, want := range map[string]string{
		"/livez": "200 alive\n", "/readyz": "503 recovering\n12 of 50 logs\n",
		"/": "200 /metrics\n/livez\n/readyz\n", "/other": "404 404 page not found\n",
	} {
		code, text := ask(t, s, http.MethodGet, path)
		require.Equal(t, want, fmt.Sprint(code, " ", text), path)
	}
	code, _ := ask(t, s, http.MethodPost, "/readyz")
	require.Equal(t, http.StatusMethodNotAllowed, code)
	code, text := ask(t, s, http.MethodHead, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Empty(t, text)
}

// A client that sends nothing, or too much, costs a bounded number of connections, and the
// others are answered when those have gone.
func TestConnectionsAreBounded(t *testing.T) {
	s := listen(t, admin.Config{})
	var silent []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", s.Addr().String())
		require.NoError(t, err)
		silent = append(silent, c)
	}
	for _, c := range silent {
		require.NoError(t, c.Close())
	}
	code, _ := ask(t, s, http.MethodGet, "/livez")
	require.Equal(t, http.StatusOK, code)

	c, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("y", 64<<10)+"\r\n\r\n")
	reply, _ := io.ReadAll(c) // it may be cut off while it still writes
	require.NotContains(t, string(reply), " 200 ")
}

// Close waits for an answer that was cut off: it may be asking a node that is about to go.
func TestCloseWaitsForAnswersUnderWay(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	var ended atomic.Bool
	s := listen(t, admin.Config{Ready: func() admin.Health {
		close(asked)
		<-release
		ended.Store(true)
		return admin.Health{OK: true, Lines: []string{"late"}}
	}})
	go func() {
		defer close(release) // once the client was cut off
		resp, err := http.Get("http://" + s.Addr().String() + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-asked
	s.Close()
	require.True(t, ended.Load())
	http.DefaultClient.CloseIdleConnections()
}

func TestAnAddressInUseIsToldApart(t *testing.T) {
	s := listen(t, admin.Config{})
	_, err := admin.Listen(admin.Config{
		Address: s.Addr().String(), Metrics: http.NotFoundHandler(),
	})
	require.True(t, admin.Taken(err))
	require.ErrorContains(t, err, s.Addr().String())
	_, err = admin.Listen(admin.Config{Address: "192.0.2.1:1", Metrics: http.NotFoundHandler()})
	require.Error(t, err)
	require.False(t, admin.Taken(err))
}
