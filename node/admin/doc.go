// Package admin answers HTTP for whoever watches a node.
//
//	GET /metrics ─▶ node/metrics
//	GET /livez   ─▶ 200, or 503 when the process should be ended and started again
//	GET /readyz  ─▶ 200 while clients are served, else 503; the text says why
//
// Nobody is asked who they are, and nothing can be changed here, which is why the default
// address is loopback. What is answered is decided in node; this room bounds and closes.
//
// Deliberately absent: TLS, authentication, anything that changes the node.
//
// Read server.go.
package admin
