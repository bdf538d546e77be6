package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// DescribeCluster (key 60) tells the cluster's id, its brokers and where the controller is.
//
// Versions 0–2, flexible from 0.
//
// Behaviour:
//   - Brokers come with the address of the listener the client came in on; fenced ones
//     only if asked for (v2).
//   - Any broker takes every admin request, so the controller is the broker asked.
//   - Endpoint type 2, controllers, is MISMATCHED_ENDPOINT_TYPE (114) here; any other but
//     1 is UNSUPPORTED_ENDPOINT_TYPE (115).
//   - Authorized operations, if asked for, are all that there are: there is no authorizer.
//
// Added by version: v1 endpoint type (KIP-919), v2 fenced brokers (KIP-1073).
func describeCluster(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DescribeClusterRequest)
	var resp kmsg.DescribeClusterResponse
	resp.Default()
	resp.EndpointType = 1
	if req.Version >= 1 && req.EndpointType != 1 {
		code, message := kafka.UnsupportedEndpointType, "Unsupported endpoint type"
		if req.EndpointType == 2 {
			code = kafka.MismatchedEndpointType
			message = "The request was sent to an endpoint of the wrong type"
		}
		resp.ErrorCode, resp.ErrorMessage, resp.ControllerID = int16(code), &message, -1
		s.countError(c, code)
		s.answer(c, &resp)
		return
	}
	resp.ClusterID = s.image.ClusterID()
	resp.ControllerID = int32(s.cfg.NodeID)
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = clusterOperations
	}
	for b := range s.image.Brokers() {
		l, ok := b.Listener(c.Listener)
		if !ok || b.Fenced && !(req.Version >= 2 && req.IncludeFencedBrokers) {
			continue
		}
		resp.Brokers = append(resp.Brokers, kmsg.DescribeClusterResponseBroker{
			NodeID: int32(b.ID), Host: l.Host, Port: l.Port, Rack: nullable(b.Rack), IsFenced: b.Fenced,
		})
	}
	s.answer(c, &resp)
}

var clusterFields = []field{
	{kind: kBool},
	{kind: kInt8, from: 1},
	{kind: kBool, from: 2},
}

// nullable is nil for "".
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
