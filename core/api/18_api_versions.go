package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// ApiVersions (key 18) tells which APIs and versions there are, before anything else.
//
// Versions 0–4, flexible from 3. The reply has the oldest header in every version.
//
// Behaviour:
//   - An API is listed exactly if it is implemented.
//   - A version above 4 is answered in version 0 with UNSUPPORTED_VERSION and the row of
//     this API alone; its body is not read. Clients then ask again with what is offered.
//   - Produce is listed from version 0 on, see there.
//   - A client software name or version with odd characters is INVALID_REQUEST.
//   - Of the features only metadata.version is there. transaction.version and
//     group.version are at level 0, which a feature that is not listed has: clients
//     enable transactions v2 from level 2 on.
//
// Added by version: v1 throttle time, v3 client software and features (KIP-511, KIP-584),
// v4 features that start at level 0 (KIP-1022).
//
// Not done: telemetry keys; they are not listed.
func apiVersions(s *Server, c *Call) {
	var resp kmsg.ApiVersionsResponse
	resp.Default()
	if c.decoded.unsupported {
		resp.ErrorCode = int16(kafka.UnsupportedVersion)
		resp.ApiKeys = []kmsg.ApiVersionsResponseApiKey{apiRow(c.decoded.api)}
		s.countError(c, kafka.UnsupportedVersion)
		s.answer(c, &resp)
		return
	}
	req := c.decoded.request.(*kmsg.ApiVersionsRequest)
	if req.Version >= 3 && !(softwareName(req.ClientSoftwareName) && softwareName(req.ClientSoftwareVersion)) {
		resp.ErrorCode = int16(kafka.InvalidRequest)
		s.countError(c, kafka.InvalidRequest)
		s.answer(c, &resp)
		return
	}
	for _, a := range byKey {
		if a != nil {
			resp.ApiKeys = append(resp.ApiKeys, apiRow(a))
		}
	}
	s.features(&resp)
	s.answer(c, &resp)
}

var apiVersionsFields = []field{
	{kind: kString, from: 3},
	{kind: kString, from: 3},
}

func apiRow(a *API) kmsg.ApiVersionsResponseApiKey {
	return kmsg.ApiVersionsResponseApiKey{ApiKey: a.Key, MinVersion: a.LowestListed, MaxVersion: a.Max}
}

const (
	metadataVersion = "metadata.version"
	// metadataVersionMin is Kafka's 3.3, the first that brokers without ZooKeeper of
	// today's kind had; metadataVersionMax is Kafka's 4.3. Clients show them, no more.
	metadataVersionMin = 7
	metadataVersionMax = 30
)

// features tells which features there are and at which level the cluster runs.
func (s *Server) features(resp *kmsg.ApiVersionsResponse) {
	resp.SupportedFeatures = []kmsg.ApiVersionsResponseSupportedFeature{
		{Name: metadataVersion, MinVersion: metadataVersionMin, MaxVersion: metadataVersionMax},
	}
	// The epoch numbers the state of the features; -1 would mean that it is unknown.
	resp.FinalizedFeaturesEpoch = int64(s.image.End()) - 1
	resp.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{
		{Name: metadataVersion, MaxVersionLevel: metadataVersionMax, MinVersionLevel: metadataVersionMax},
	}
}

// softwareName tells whether s is [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
func softwareName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		inner := i > 0 && i < len(s)-1 && (c == '-' || c == '.')
		if !alnum && !inner {
			return false
		}
	}
	return s != ""
}
