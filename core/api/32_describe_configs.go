package api

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// DescribeConfigs (key 32) tells the configuration of topics and of this broker.
//
// Versions 1–4, flexible from 4.
//
// Behaviour:
//   - All keys Kafka has for a topic are listed, with source, type, documentation and, if
//     asked for, every value on the way from the default up. A null or empty list of keys
//     means all; keys that do not exist are left out.
//   - A broker describes itself alone; another broker's id is INVALID_REQUEST. The broker
//     "" is the cluster-wide default: what was set there and nothing else.
//   - Sensitive values are null.
//   - An unknown topic is 3, a name that no topic can have is 17. Broker loggers are an
//     empty list: there are none. Other resources are INVALID_REQUEST.
//
// Added by version: v1 synonyms (KIP-226), v3 type and documentation (KIP-569).
//
// Not done: client metrics and groups.
func describeConfigs(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DescribeConfigsRequest)
	var resp kmsg.DescribeConfigsResponse
	resp.Resources = make([]kmsg.DescribeConfigsResponseResource, 0, len(req.Resources))
	for i := range req.Resources {
		row := s.describeResource(req, &req.Resources[i])
		s.countError(c, kafka.ErrorCode(row.ErrorCode))
		resp.Resources = append(resp.Resources, row)
	}
	s.answer(c, &resp)
}

var configsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kInt8},
		{kind: kString},
		{kind: kArray, null: nullFrom(0), fields: of(kString)},
	}},
	{kind: kBool},
	{kind: kBool, from: 3},
}

const resourceBrokerLogger kmsg.ConfigResourceType = 8

func (s *Server) describeResource(req *kmsg.DescribeConfigsRequest,
	r *kmsg.DescribeConfigsRequestResource) kmsg.DescribeConfigsResponseResource {
	row := kmsg.NewDescribeConfigsResponseResource()
	row.ResourceType, row.ResourceName = r.ResourceType, r.ResourceName
	configs, code, message := s.effectiveConfigs(r)
	if code != kafka.None {
		row.ErrorCode, row.ErrorMessage = int16(code), &message
	}
	for i := range configs {
		e := &configs[i]
		if len(r.ConfigNames) == 0 || slices.Contains(r.ConfigNames, e.Key.Name) {
			readOnly := r.ResourceType == kmsg.ConfigResourceTypeBroker && !e.Key.Dynamic
			row.Configs = append(row.Configs, configRow(req, e, readOnly))
		}
	}
	return row
}

func (s *Server) effectiveConfigs(r *kmsg.DescribeConfigsRequestResource) (
	configs []metadata.EffectiveConfig, code kafka.ErrorCode, message string) {
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		t := s.image.Topic(r.ResourceName)
		if why := kafka.ValidateTopicName(r.ResourceName); why != "" {
			return nil, kafka.InvalidTopicException, why
		}
		if t == nil {
			return nil, kafka.UnknownTopicOrPartition, "This server does not host this topic-partition."
		}
		return s.cfg.Resolver.DescribeTopic(s.image, t.Configs), kafka.None, ""
	case kmsg.ConfigResourceTypeBroker:
		if r.ResourceName == "" {
			return s.clusterDefaults(), kafka.None, ""
		}
		if why := s.notThisBroker(r.ResourceName); why != "" {
			return nil, kafka.InvalidRequest, why
		}
		return s.cfg.Resolver.DescribeBroker(s.image), kafka.None, ""
	case resourceBrokerLogger:
		if why := s.notThisBroker(r.ResourceName); why != "" {
			return nil, kafka.InvalidRequest, why
		}
		return nil, kafka.None, ""
	}
	return nil, kafka.InvalidRequest, fmt.Sprintf("Unsupported resource type: %d", r.ResourceType)
}

func (s *Server) notThisBroker(name string) string {
	id, err := strconv.ParseInt(name, 10, 32)
	switch {
	case err != nil:
		return "Broker id must be an integer, but it is: " + strconv.Quote(name)
	case kafka.BrokerID(id) != s.cfg.NodeID:
		return fmt.Sprintf("Unexpected broker id, expected %d or empty string, but received %d", s.cfg.NodeID, id)
	}
	return ""
}

// clusterDefaults are the values set for all brokers.
func (s *Server) clusterDefaults() (out []metadata.EffectiveConfig) {
	for _, set := range s.image.Configs(metadata.Resource{Type: metadata.ResourceBroker}) {
		key := metadata.BrokerConfigKey(set.Key)
		if key == nil {
			continue
		}
		way := metadata.ConfigSynonym{Name: set.Key, Value: set.Value, Source: metadata.SourceDynamicDefault}
		out = append(out, metadata.EffectiveConfig{
			Key: key, Value: set.Value, IsSet: true, Source: way.Source, Derived: []metadata.ConfigSynonym{way},
		})
	}
	return out
}

func configRow(req *kmsg.DescribeConfigsRequest, e *metadata.EffectiveConfig,
	readOnly bool) kmsg.DescribeConfigsResponseResourceConfig {
	row := kmsg.NewDescribeConfigsResponseResourceConfig()
	row.Name, row.Value = e.Key.Name, shownValue(e.Key, e.Value, e.IsSet)
	row.ReadOnly, row.IsSensitive = readOnly, e.Key.Sensitive()
	row.IsDefault = e.Source == metadata.SourceDefault
	row.Source, row.ConfigType = kmsg.ConfigSource(e.Source), kmsg.ConfigType(e.Key.Type)
	if req.IncludeSynonyms {
		for _, d := range e.Derived {
			syn := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
			syn.Name, syn.Value, syn.Source = d.Name, shownValue(e.Key, d.Value, true), kmsg.ConfigSource(d.Source)
			row.ConfigSynonyms = append(row.ConfigSynonyms, syn)
		}
	}
	if req.IncludeDocumentation {
		row.Documentation = &e.Key.Doc
	}
	return row
}

// shownValue is a value as clients may see it: nil when it is secret or absent.
func shownValue(k *metadata.ConfigKey, value string, isSet bool) *string {
	if !isSet || k.Sensitive() {
		return nil
	}
	return &value
}
