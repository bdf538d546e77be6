package metrics

import "github.com/tidemark-log/tidemark/core/broker"

var requestFamilies = []family{
	{
		name: "tidemark_requests_total", kind: counter, labels: []string{"api"},
		help: "Requests begun, by Kafka API. APIs that nobody asked for since the start have no series.",
		read: perAPI(func(s *broker.Stats, key int16, name string, out *sink) {
			out.add(float64(s.API.Requests[key]), name)
		}),
	},
	{
		name: "tidemark_request_errors_total", kind: counter, labels: []string{"api"},
		help: "Error codes answered, of which one reply may have several.",
		read: perAPI(func(s *broker.Stats, key int16, name string, out *sink) {
			out.add(float64(s.API.Errors[key]), name)
		}),
	},
	{
		name: "tidemark_request_seconds", kind: histogram, labels: []string{"api"},
		help: "From a request's start to its answer. A Fetch includes the wait for min_bytes that its " +
			"client asked for.",
		read: perAPI(func(s *broker.Stats, key int16, name string, out *sink) {
			out.addHistogram(&s.API.Took[key], name)
		}),
	},
	{
		name: "tidemark_request_bytes_total", kind: counter,
		help: "Bytes of requests, with their headers.",
		read: number(func(s *broker.Stats) uint64 { return s.API.BytesIn }),
	},
	{
		name: "tidemark_response_bytes_total", kind: counter,
		help: "Bytes of replies, with their headers.",
		read: number(func(s *broker.Stats) uint64 { return s.API.BytesOut }),
	},
	{
		name: "tidemark_requests_expired_total", kind: counter,
		help: "Requests answered because their deadline passed: fetches that waited long enough, produces " +
			"not committed in time.",
		read: number(func(s *broker.Stats) uint64 { return s.API.Expired }),
	},
}

var dataFamilies = []family{
	{
		name: "tidemark_produced_batches_total", kind: counter,
		help: "Batches appended for clients.",
		read: number(func(s *broker.Stats) uint64 { return s.API.ProducedBatches }),
	},
	{
		name: "tidemark_produced_records_total", kind: counter,
		help: "Records in them.",
		read: number(func(s *broker.Stats) uint64 { return s.API.ProducedRecords }),
	},
	{
		name: "tidemark_produced_bytes_total", kind: counter,
		help: "Bytes of them, as stored.",
		read: number(func(s *broker.Stats) uint64 { return s.API.ProducedBytes }),
	},
	{
		name: "tidemark_produced_recompressed_total", kind: counter,
		help: "Batches stored in another compression than they came in, for compression.type says so.",
		read: number(func(s *broker.Stats) uint64 { return s.API.RecompressedBatches }),
	},
	{
		name: "tidemark_produced_refused_total", kind: counter,
		help: "Batches refused because the volume is nearly full; their producers try again.",
		read: number(func(s *broker.Stats) uint64 { return s.API.RefusedForRoom }),
	},
	{
		name: "tidemark_produced_repeats_total", kind: counter,
		help: "Batches that an idempotent producer sent again, answered and not appended.",
		read: number(func(s *broker.Stats) uint64 { return s.API.RepeatedBatches }),
	},
	{
		name: "tidemark_fetched_bytes_total", kind: counter,
		help: "Bytes of batches given to clients.",
		read: number(func(s *broker.Stats) uint64 { return s.API.FetchedBytes }),
	},
	{
		name: "tidemark_fetch_waits_total", kind: counter,
		help: "Fetches that did not find min_bytes at once.",
		read: number(func(s *broker.Stats) uint64 { return s.API.FetchesWaited }),
	},
	{
		name: "tidemark_fetch_sessions", kind: gauge,
		help: "Fetch sessions kept.",
		read: number(func(s *broker.Stats) int { return s.FetchSessions }),
	},
	{
		name: "tidemark_fetch_session_partitions", kind: gauge,
		help: "Partitions in all fetch sessions.",
		read: number(func(s *broker.Stats) int { return s.FetchSessionPartitions }),
	},
	{
		name: "tidemark_fetch_sessions_opened_total", kind: counter,
		help: "Fetch sessions opened.",
		read: number(func(s *broker.Stats) uint64 { return s.API.SessionsOpened }),
	},
	{
		name: "tidemark_fetch_sessions_evicted_total", kind: counter,
		help: "Fetch sessions that gave way to another; their clients send a full request again.",
		read: number(func(s *broker.Stats) uint64 { return s.API.SessionsEvicted }),
	},
	{
		name: "tidemark_fetch_sessions_refused_total", kind: counter,
		help: "Fetch sessions not opened for want of room.",
		read: number(func(s *broker.Stats) uint64 { return s.API.SessionsRefused }),
	},
}

var journalFamilies = []family{
	{
		name: "tidemark_journal_syncs_total", kind: counter, labels: []string{"directory"},
		help: "Groups submitted to the journal; each is one exchange with the device for all partitions.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Journal.Groups }),
	},
	{
		name: "tidemark_journal_sync_seconds", kind: histogram, labels: []string{"directory"},
		help: "From a group's submission to its durability: the disk's part of every acknowledgement.",
		read: func(s *Snapshot, out *sink) {
			if s.Broker == nil {
				return
			}
			for i := range s.Broker.Dirs {
				d := &s.Broker.Dirs[i]
				out.addHistogram(&d.Journal.Took, d.Path)
			}
		},
	},
	{
		name: "tidemark_journal_entries_total", kind: counter, labels: []string{"directory"},
		help: "Entries in those groups: batches and notes about logs.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Journal.Entries }),
	},
	{
		name: "tidemark_journal_bytes_total", kind: counter, labels: []string{"directory"},
		help: "Bytes of those groups, padding included.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Journal.Bytes }),
	},
	{
		name: "tidemark_journal_waiting_bytes", kind: gauge, labels: []string{"directory"},
		help: "Bytes that wait for the journal.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Waiting }),
	},
	{
		name: "tidemark_journal_files", kind: gauge, labels: []string{"directory"},
		help: "Files of the journal.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Journal.Files }),
	},
	{
		name: "tidemark_journal_free_files", kind: gauge, labels: []string{"directory"},
		help: "Files of the journal that hold nothing that is still needed.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Journal.FilesFree }),
	},
	{
		name: "tidemark_journal_stalls_total", kind: counter, labels: []string{"directory"},
		help: "Times a group waited because every journal file was in use: the segments' disk is too slow, " +
			"or tidemark.journal.files too small.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Journal.Stalls }),
	},
	{
		name: "tidemark_checkpoints_total", kind: counter, labels: []string{"directory"},
		help: "Times the segments were brought up to the journal, whose files could be used again.",
		read: perDirectory(func(d *broker.DirStats) uint64 { return d.Checkpoints }),
	},
}

var directoryFamilies = []family{
	{
		name: "tidemark_directory_online", kind: gauge, labels: []string{"directory"},
		help: "0 after a write or sync failed: nothing in the directory is served until a restart.",
		read: perDirectory(func(d *broker.DirStats) int { return oneIf(d.Err == nil) }),
	},
	{
		name: "tidemark_directory_full", kind: gauge, labels: []string{"directory"},
		help: "1 while records are refused because the volume is nearly full: tidemark.reserve.bytes. Reads go on.",
		read: perDirectory(func(d *broker.DirStats) int { return oneIf(d.Tight) }),
	},
	{
		name: "tidemark_directory_free_bytes", kind: gauge, labels: []string{"directory"},
		help: "What the volume has left, for whoever runs the broker.",
		read: func(s *Snapshot, out *sink) {
			for i, free := range s.FreeBytes {
				if free >= 0 {
					out.add(float64(free), s.Broker.Dirs[i].Path)
				}
			}
		},
	},
	{
		name: "tidemark_directory_bytes", kind: gauge, labels: []string{"directory"},
		help: "Bytes of all segments; the journal and the indexes come on top.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Bytes }),
	},
	{
		name: "tidemark_logs", kind: gauge, labels: []string{"directory"},
		help: "Logs in the directory, the metadata's included.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Logs }),
	},
	{
		name: "tidemark_segments", kind: gauge, labels: []string{"directory"},
		help: "Segments of all logs.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Segments }),
	},
	{
		name: "tidemark_tail_cache_bytes", kind: gauge, labels: []string{"directory"},
		help: "Newest batches kept in memory, so that reads at the tail touch no disk.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.CachedBytes }),
	},
	{
		name: "tidemark_tail_cache_limit_bytes", kind: gauge, labels: []string{"directory"},
		help: "tidemark.tail.cache.bytes.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.CacheLimit }),
	},
	{
		name: "tidemark_reads_total", kind: counter, labels: []string{"directory", "from"},
		help: "Reads of a partition by what answered them: memory, what was read ahead of a consumer, or the disk.",
		read: func(s *Snapshot, out *sink) {
			if s.Broker == nil {
				return
			}
			for i := range s.Broker.Dirs {
				d := &s.Broker.Dirs[i]
				out.add(float64(d.ReadsCached), d.Path, "memory")
				out.add(float64(d.ReadsAhead), d.Path, "ahead")
				out.add(float64(d.ReadsDisk), d.Path, "disk")
			}
		},
	},
}

var topicFamilies = []family{
	{
		name: "tidemark_topics", kind: gauge,
		help: "Topics of the cluster.",
		read: number(func(s *broker.Stats) int { return s.Topics }),
	},
	{
		name: "tidemark_topics_unlisted", kind: gauge,
		help: "Topics without series of their own, because there are too many; the first by name have them.",
		read: number(func(s *broker.Stats) int { return s.Topics - len(s.PerTopic) }),
	},
	{
		name: "tidemark_partitions", kind: gauge,
		help: "Partitions held here.",
		read: number(func(s *broker.Stats) int { return s.Partitions }),
	},
	{
		name: "tidemark_partitions_led", kind: gauge,
		help: "Partitions led here.",
		read: number(func(s *broker.Stats) int { return s.PartitionsLed }),
	},
	{
		name: "tidemark_partitions_offline", kind: gauge,
		help: "Partitions that belong here and cannot be served: their directory failed, or their log is damaged.",
		read: number(func(s *broker.Stats) int { return s.PartitionsOffline }),
	},
	{
		name: "tidemark_topic_partitions", kind: gauge, labels: []string{"topic"},
		help: "Partitions of the topic held here.",
		read: perTopic(func(t *broker.TopicStats) int { return t.Partitions }),
	},
	{
		name: "tidemark_topic_bytes", kind: gauge, labels: []string{"topic"},
		help: "Bytes of their segments.",
		read: perTopic(func(t *broker.TopicStats) int64 { return t.Bytes }),
	},
	{
		name: "tidemark_topic_produced_records_total", kind: counter, labels: []string{"topic"},
		help: "Records appended to them since the start.",
		read: perTopic(func(t *broker.TopicStats) uint64 { return t.ProducedRecords }),
	},
	{
		name: "tidemark_topic_produced_bytes_total", kind: counter, labels: []string{"topic"},
		help: "Bytes of those records, as stored.",
		read: perTopic(func(t *broker.TopicStats) uint64 { return t.ProducedBytes }),
	},
	{
		name: "tidemark_topic_fetched_bytes_total", kind: counter, labels: []string{"topic"},
		help: "Bytes of their batches given to clients.",
		read: perTopic(func(t *broker.TopicStats) uint64 { return t.FetchedBytes }),
	},
}
