package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// ListConfigResources (key 74) names what has a configuration, by type.
//
// Versions 0–1, flexible from 0.
//
// Behaviour:
//   - Topics and brokers are named whether or not anything was set for them, brokers again as
//     broker loggers; client metrics and groups have no configuration here, so there are none.
//   - No type asked means all types. v0 knows client metrics alone.
//   - A type that does not exist is UNSUPPORTED_VERSION, and nothing is listed.
//
// Added by version: v0 is KIP-714 under the name ListClientMetricsResources, v1 types
// (KIP-1142).
func listConfigResources(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.ListConfigResourcesRequest)
	var resp kmsg.ListConfigResourcesResponse
	resp.Default()
	types := asked(req)
	for _, t := range types {
		if !slices.Contains(configResourceTypes, t) {
			resp.ErrorCode = int16(kafka.UnsupportedVersion)
			s.countError(c, kafka.UnsupportedVersion)
			s.answer(c, &resp)
			return
		}
	}
	for _, t := range types {
		for _, name := range s.configResources(c, t) {
			row := kmsg.NewListConfigResourcesResponseConfigResource()
			row.Name, row.Type = name, int8(t)
			resp.ConfigResources = append(resp.ConfigResources, row)
		}
	}
	s.answer(c, &resp)
}

var configResourcesFields = []field{
	{kind: kArray, from: 1, fields: of(kInt8)},
}

const (
	resourceClientMetrics kmsg.ConfigResourceType = 16
	resourceGroup         kmsg.ConfigResourceType = 32
)

// configResourceTypes are all that Kafka has, in the order they are listed.
var configResourceTypes = []kmsg.ConfigResourceType{
	kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker, resourceBrokerLogger,
	resourceClientMetrics, resourceGroup,
}

// asked are the types of a request, each once.
func asked(req *kmsg.ListConfigResourcesRequest) (types []kmsg.ConfigResourceType) {
	if req.Version == 0 {
		return []kmsg.ConfigResourceType{resourceClientMetrics}
	}
	if len(req.ResourceTypes) == 0 {
		return configResourceTypes
	}
	for _, t := range req.ResourceTypes {
		if t := kmsg.ConfigResourceType(t); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// configResources are the names of one type, brokers as the client can reach them.
func (s *Server) configResources(c *Call, t kmsg.ConfigResourceType) (names []string) {
	switch t {
	case kmsg.ConfigResourceTypeTopic:
		for topic := range s.image.Topics() {
			names = append(names, topic.Name)
		}
	case kmsg.ConfigResourceTypeBroker, resourceBrokerLogger:
		for b := range s.image.Brokers() {
			if _, ok := s.nodeAt(b.ID, c.Listener); ok {
				names = append(names, b.ID.String())
			}
		}
	}
	return names
}
