package metadata

import "slices"

// brokerKeys is every broker key, by subject. Tools read this list; a key whose duty is
// not built yet is accepted and shown, as protocol rules ask.
var brokerKeys = newKeyTable(slices.Concat(
	identityKeys(), networkKeys(), securityKeys(), topicDefaultKeys(), logKeys(), cleanerKeys(),
	replicationKeys(), controllerKeys(), groupKeys(), transactionKeys(), shareKeys(), quotaKeys(),
)...)

func identityKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("node.id", "", -1, "This node's id, unique in the cluster.").unset(),
		integer("broker.id", "", -1, "The older name of node.id.").unset(),
		list("process.roles", "broker,controller", "What this process does: broker, controller or both.").
			oneOf("broker", "controller"),
		list("log.dirs", "/tmp/kafka-logs", "The directories that hold the logs."),
		str("log.dir", "", "The older name of log.dirs, for one directory.").unset(),
		str("metadata.log.dir", "",
			"The directory of the metadata log; the first of log.dirs if not set.").unset(),
		str("broker.rack", "", "The rack this broker stands in; replicas are spread over racks.").unset(),
		integer("num.partitions", "1", 1, "The partitions of a topic created without a number."),
		integer("default.replication.factor", "1", 1, "The replicas of a topic created without a number."),
		boolean("auto.create.topics.enable", "true", "Whether asking for an unknown topic creates it."),
		boolean("delete.topic.enable", "true", "Whether topics can be deleted."),
		integer("num.recovery.threads.per.data.dir", "2", 1, "Threads that recover logs at start.").dynamic(),
		integer("background.threads", "10", 1,
			"Threads for background work. Accepted without effect.").dynamic(),
		integer("num.network.threads", "3", 1, "Threads for the network. Accepted without effect.").dynamic(),
		integer("num.io.threads", "8", 1, "Threads for requests. Accepted without effect.").dynamic(),
		boolean("controlled.shutdown.enable", "true", "Whether leadership is handed over before a stop."),
	}
}

// networkKeys: the listeners of a running broker stay as they are, unlike in Kafka.
func networkKeys() []*ConfigKey {
	return []*ConfigKey{
		list("listeners", "PLAINTEXT://:9092", "The addresses this node listens at."),
		list("advertised.listeners", "",
			"The addresses told to clients; listeners if not set.").unset(),
		list("listener.security.protocol.map",
			"SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
			"The security protocol of each listener name."),
		str("inter.broker.listener.name", "", "The listener brokers use between them.").unset(),
		str("security.inter.broker.protocol", "PLAINTEXT", "The security protocol between brokers."),
		list("controller.listener.names", "CONTROLLER", "The listeners of the controller."),
		integer("socket.request.max.bytes", "104857600", 1, "The largest request that is read."),
		integer("socket.send.buffer.bytes", "102400", -1, "The send buffer of a socket; -1 is the system's."),
		integer("socket.receive.buffer.bytes", "102400", -1,
			"The receive buffer of a socket; -1 is the system's."),
		integer("socket.listen.backlog.size", "50", 1, "Connections waiting to be accepted."),
		long("connections.max.idle.ms", "600000", -1, "How long an idle connection is kept."),
		integer("max.connections", "2147483647", 0, "Connections at the same time.").dynamic(),
		integer("max.connections.per.ip", "2147483647", 0, "Connections from one address.").dynamic(),
		list("max.connections.per.ip.overrides", "",
			"Other bounds for some addresses: address:count.").dynamic(),
		integer("max.connection.creation.rate", "2147483647", 0, "New connections in a second.").dynamic(),
		integer("queued.max.requests", "500", 1, "Requests read but not yet answered."),
		long("queued.max.request.bytes", "-1", -1,
			"Bytes of requests read but not yet answered; -1 is unbounded."),
		integer("request.timeout.ms", "30000", 0, "How long a request to another node may take."),
		integer("fetch.max.bytes", "57671680", 1024, "The most bytes one fetch is answered with."),
		integer("max.incremental.fetch.session.cache.slots", "1000", 0, "Fetch sessions kept."),
		integer("max.request.partition.size.limit", "2000", 1,
			"Partitions in one DescribeTopicPartitions answer."),
	}
}

func securityKeys() []*ConfigKey {
	return []*ConfigKey{
		list("sasl.enabled.mechanisms", "", "The SASL mechanisms clients may use.").perBroker(),
		str("sasl.mechanism.inter.broker.protocol", "GSSAPI",
			"The SASL mechanism between brokers.").perBroker(),
		password("sasl.jaas.config", "Login context of SASL, in JAAS form.").prefixed(),
		str("ssl.keystore.location", "", "The file of the key store.").unset().prefixed(),
		str("ssl.keystore.type", "JKS", "The type of the key store: JKS, PKCS12 or PEM.").prefixed(),
		password("ssl.keystore.password", "The password of the key store.").prefixed(),
		password("ssl.keystore.key", "The private key, in PEM.").prefixed(),
		password("ssl.keystore.certificate.chain", "The certificate chain, in PEM.").prefixed(),
		password("ssl.key.password", "The password of the private key.").prefixed(),
		str("ssl.truststore.location", "", "The file of the trust store.").unset().prefixed(),
		str("ssl.truststore.type", "JKS", "The type of the trust store: JKS, PKCS12 or PEM.").prefixed(),
		password("ssl.truststore.password", "The password of the trust store.").prefixed(),
		password("ssl.truststore.certificates", "The trusted certificates, in PEM.").prefixed(),
		str("ssl.client.auth", "none", "Whether clients must show a certificate.").
			oneOf("required", "requested", "none").perBroker(),
		list("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", "The versions of TLS that are offered.").perBroker(),
		str("ssl.protocol", "TLSv1.3", "The version of TLS.").perBroker(),
		integer("connection.failed.authentication.delay.ms", "100", 0,
			"How long a failed authentication is held back."),
		long("connections.max.reauth.ms", "0", 0,
			"After how long a client must authenticate again; 0 is never."),
		class("authorizer.class.name", "", "The authorizer."),
		boolean("allow.everyone.if.no.acl.found", "false", "Whether what no rule covers is allowed."),
		str("super.users", "", "Users that may do everything, separated by semicolons."),
	}
}

// topicDefaultKeys are the broker keys that topic keys fall back to; all are dynamic.
func topicDefaultKeys() []*ConfigKey {
	keys := []*ConfigKey{
		list("log.cleanup.policy", "delete", "The default of cleanup.policy.").
			oneOf("compact", "delete").withoutCompaction(),
		long("log.retention.ms", "", -1, "The default of retention.ms.").unset(),
		integer("log.retention.minutes", "", -1,
			"As log.retention.ms, in minutes; log.retention.ms goes first.").unset(),
		integer("log.retention.hours", "168", -1, "As log.retention.ms, in hours; the other two go first."),
		long("log.retention.bytes", "-1", -1, "The default of retention.bytes."),
		integer("log.segment.bytes", "1073741824", 1<<20, "The default of segment.bytes."),
		long("log.roll.ms", "", 1, "The default of segment.ms.").unset(),
		integer("log.roll.hours", "168", 1, "As log.roll.ms, in hours; log.roll.ms goes first."),
		long("log.roll.jitter.ms", "", 0, "The default of segment.jitter.ms.").unset(),
		integer("log.roll.jitter.hours", "0", 0,
			"As log.roll.jitter.ms, in hours; log.roll.jitter.ms goes first."),
		integer("log.index.size.max.bytes", "10485760", 4, "The default of segment.index.bytes."),
		integer("log.index.interval.bytes", "4096", 0, "The default of index.interval.bytes."),
		integer("message.max.bytes", "1048588", 0, "The default of max.message.bytes."),
		str("log.message.timestamp.type", "CreateTime", "The default of message.timestamp.type.").
			oneOf("CreateTime", "LogAppendTime"),
		long("log.message.timestamp.before.max.ms", maxLong, 0,
			"The default of message.timestamp.before.max.ms."),
		long("log.message.timestamp.after.max.ms", "3600000", 0,
			"The default of message.timestamp.after.max.ms."),
		str("compression.type", "producer", "The default of the topic key of this name.").
			oneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
		integer("compression.gzip.level", "-1", -1,
			"The default of the topic key of this name.").max(9).check(notZero),
		integer("compression.lz4.level", "9", 1, "The default of the topic key of this name.").max(17),
		integer("compression.zstd.level", "3", -131072, "The default of the topic key of this name.").max(22),
		integer("min.insync.replicas", "1", 1, "The default of the topic key of this name."),
		boolean("unclean.leader.election.enable", "false", "The default of the topic key of this name."),
		long("log.cleaner.delete.retention.ms", "86400000", 0, "The default of delete.retention.ms."),
		long("log.cleaner.min.compaction.lag.ms", "0", 0, "The default of min.compaction.lag.ms."),
		long("log.cleaner.max.compaction.lag.ms", maxLong, 1, "The default of max.compaction.lag.ms."),
		double("log.cleaner.min.cleanable.ratio", "0.5", 0,
			"The default of min.cleanable.dirty.ratio.").max(1),
		long("log.segment.delete.delay.ms", "60000", 0, "The default of file.delete.delay.ms."),
		long("log.flush.interval.messages", maxLong, 1, "The default of flush.messages."),
		long("log.flush.interval.ms", "", 0, "The default of flush.ms.").unset(),
		str("log.flush.policy", FlushGroup, "The default of flush.policy.").oneOf(FlushGroup, FlushOS),
		boolean("log.preallocate", "false", "The default of preallocate."),
	}
	for _, k := range keys {
		k.dynamic()
	}
	return keys
}

func logKeys() []*ConfigKey {
	return []*ConfigKey{
		long("log.retention.check.interval.ms", "300000", 1,
			"How often retention looks for segments to delete."),
		long("log.flush.scheduler.interval.ms", maxLong, 0,
			"How often logs are looked through for what flush.ms asks."),
		integer("log.flush.offset.checkpoint.interval.ms", "60000", 0,
			"How often the recovery point is written."),
		integer("log.flush.start.offset.checkpoint.interval.ms", "60000", 0,
			"How often log start offsets are written."),
		long("metadata.log.max.record.bytes.between.snapshots", "20971520", 1,
			"The bytes of the metadata log after which a snapshot is made."),
		long("metadata.log.max.snapshot.interval.ms", "3600000", 0,
			"How long a committed record is in no snapshot at most; 0 for as long as it takes."),
		long("log.initial.task.delay.ms", "30000", 0, "How long after the start background work begins."),
		integer("producer.id.expiration.ms", "86400000", 1,
			"How long an idle producer is remembered.").dynamic(),
		integer("producer.id.expiration.check.interval.ms", "600000", 1,
			"How often idle producers are forgotten."),
	}
}

func cleanerKeys() []*ConfigKey {
	keys := []*ConfigKey{
		integer("log.cleaner.threads", "1", 0, "Threads that compact."),
		long("log.cleaner.dedupe.buffer.size", "134217728", 1, "Memory for the keys of one compaction."),
		long("log.cleaner.backoff.ms", "15000", 0, "How long the cleaner rests when nothing is to be done."),
		integer("log.cleaner.io.buffer.size", "524288", 0, "Buffers of the cleaner's reading and writing."),
		double("log.cleaner.io.buffer.load.factor", "0.9", 0,
			"How full the cleaner's table of keys gets.").max(1),
		double("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308", 0,
			"The cleaner's bound on reading and writing."),
	}
	for _, k := range keys {
		k.dynamic()
	}
	return append(keys, boolean("log.cleaner.enable", "true",
		"Whether logs are compacted. Accepted without effect."))
}

func replicationKeys() []*ConfigKey {
	return []*ConfigKey{
		long("replica.lag.time.max.ms", "30000", 0,
			"How long a replica may lag before it leaves the in-sync set."),
		integer("replica.fetch.max.bytes", "1048576", 0, "The bytes a follower asks for of one partition."),
		integer("replica.fetch.response.max.bytes", "10485760", 0, "The bytes a follower asks for at once."),
		integer("replica.fetch.wait.max.ms", "500", 0, "How long a leader may hold a follower's fetch."),
		integer("replica.fetch.min.bytes", "1", 0,
			"The bytes for which a leader answers a follower at once."),
		integer("replica.fetch.backoff.ms", "1000", 0, "How long a follower rests after an error."),
		integer("replica.socket.timeout.ms", "30000", 0, "How long a follower waits for an answer."),
		integer("num.replica.fetchers", "1", 1, "Fetchers for each leader.").dynamic(),
		long("replica.high.watermark.checkpoint.interval.ms", "5000", 0,
			"How often high watermarks are written."),
		boolean("auto.leader.rebalance.enable", "true", "Whether preferred leaders are made leaders again."),
		long("leader.imbalance.check.interval.seconds", "300", 1,
			"How often preferred leaders are looked for."),
		long("unclean.leader.election.interval.ms", "300000", 1,
			"How often unclean elections are looked for."),
		class("replica.selector.class", "", "Chooses the replica a consumer reads from.").unset(),
	}
}

func controllerKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("broker.heartbeat.interval.ms", "2000", 1,
			"How often a broker tells the controller that it lives."),
		integer("broker.session.timeout.ms", "9000", 1,
			"How long a broker may be silent before it is fenced."),
		list("controller.quorum.voters", "", "The voters: id@host:port."),
		list("controller.quorum.bootstrap.servers", "", "Where to find the quorum at the first start."),
		integer("controller.quorum.election.timeout.ms", "1000", 0, "How long a candidate waits for votes."),
		integer("controller.quorum.fetch.timeout.ms", "2000", 0, "How long a voter waits for its leader."),
		integer("controller.quorum.election.backoff.max.ms", "1000", 0,
			"The most a candidate waits before it tries again."),
		integer("controller.quorum.request.timeout.ms", "2000", 0,
			"How long a request in the quorum may take."),
		integer("initial.broker.registration.timeout.ms", "60000", 0,
			"How long a start waits for the registration."),
	}
}

func groupKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("offsets.topic.num.partitions", "50", 1, "The partitions of the offsets topic."),
		short("offsets.topic.replication.factor", "3", 1,
			"The replicas of the offsets topic, if there are as many brokers."),
		integer("offsets.topic.segment.bytes", "104857600", 1, "The segment size of the offsets topic."),
		integer("offset.metadata.max.bytes", "4096", 0, "The longest text with a committed offset."),
		integer("offsets.commit.timeout.ms", "5000", 1, "How long a commit waits for its replicas."),
		integer("offsets.retention.minutes", "10080", 1, "How long the offsets of an empty group are kept."),
		long("offsets.retention.check.interval.ms", "600000", 1, "How often old offsets are looked for."),
		integer("offsets.load.buffer.size", "5242880", 1, "The bytes read at once when groups are loaded."),
		integer("group.min.session.timeout.ms", "6000", 0, "The least session timeout of a classic member."),
		integer("group.max.session.timeout.ms", "1800000", 0,
			"The largest session timeout of a classic member."),
		integer("group.initial.rebalance.delay.ms", "3000", 0,
			"How long an empty group waits for more members."),
		integer("group.max.size", "2147483647", 1, "The most members of a classic group."),
		list("group.coordinator.rebalance.protocols", "classic,consumer,streams",
			"The group protocols that are on.").
			oneOf("classic", "consumer", "streams"),
		integer("group.coordinator.threads", "4", 1,
			"Threads of the group coordinator. Accepted without effect."),
		integer("group.coordinator.append.linger.ms", "-1", -1,
			"How long group records are collected; -1 adapts."),
		integer("group.consumer.session.timeout.ms", "45000", 1, "The session timeout of consumer groups."),
		integer("group.consumer.min.session.timeout.ms", "45000", 1,
			"The least session timeout of a consumer group."),
		integer("group.consumer.max.session.timeout.ms", "60000", 1,
			"The largest session timeout of a consumer group."),
		integer("group.consumer.heartbeat.interval.ms", "5000", 1,
			"The heartbeat interval of consumer groups."),
		integer("group.consumer.min.heartbeat.interval.ms", "5000", 1,
			"The least heartbeat interval of a consumer group."),
		integer("group.consumer.max.heartbeat.interval.ms", "15000", 1,
			"The largest heartbeat interval of a consumer group."),
		integer("group.consumer.max.size", "2147483647", 1, "The most members of a consumer group."),
		list("group.consumer.assignors", "uniform,range",
			"The assignors of consumer groups; the first is the default.").
			nonEmpty(),
		str("group.consumer.migration.policy", "bidirectional", "Which groups may change their protocol.").
			oneOf("bidirectional", "downgrade", "upgrade", "disabled"),
		integer("group.consumer.assignment.interval.ms", "1000", 0,
			"The least time between two assignments.").max(15000),
		integer("group.consumer.regex.refresh.interval.ms", "600000", 10000,
			"How often regular expressions are matched."),
	}
}

func transactionKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("transaction.state.log.num.partitions", "50", 1, "The partitions of the transaction topic."),
		short("transaction.state.log.replication.factor", "3", 1, "The replicas of the transaction topic."),
		integer("transaction.state.log.min.isr", "2", 1, "The min.insync.replicas of the transaction topic."),
		integer("transaction.state.log.segment.bytes", "104857600", 1,
			"The segment size of the transaction topic."),
		integer("transaction.state.log.load.buffer.size", "5242880", 1,
			"The bytes read at once when they are loaded."),
		integer("transaction.max.timeout.ms", "900000", 1, "The largest timeout a transaction may ask for."),
		integer("transactional.id.expiration.ms", "604800000", 1,
			"How long an idle transactional id is remembered."),
		integer("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000", 1,
			"How often transactions that ran out of time are aborted."),
		integer("transaction.remove.expired.transaction.cleanup.interval.ms", "3600000", 1,
			"How often idle transactional ids are forgotten."),
		boolean("transaction.partition.verification.enable", "true",
			"Whether a partition asks for its transaction.").
			dynamic(),
		integer("add.partitions.to.txn.retry.backoff.ms", "20", 1,
			"How long a partition waits before it asks again."),
		integer("add.partitions.to.txn.retry.backoff.max.ms", "100", 0, "The most it waits in all."),
		boolean("transaction.two.phase.commit.enable", "false",
			"Whether transactions may be prepared from outside."),
	}
}

func shareKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("group.share.session.timeout.ms", "45000", 1, "The session timeout of share groups."),
		integer("group.share.heartbeat.interval.ms", "5000", 1, "The heartbeat interval of share groups."),
		integer("group.share.max.size", "200", 1, "The most members of a share group."),
		integer("share.coordinator.state.topic.num.partitions", "50", 1,
			"The partitions of the share state topic."),
		short("share.coordinator.state.topic.replication.factor", "3", 1,
			"The replicas of the share state topic."),
		short("share.coordinator.state.topic.min.isr", "2", 1,
			"The min.insync.replicas of the share state topic."),
		integer("share.coordinator.state.topic.segment.bytes", "104857600", 1,
			"The segment size of the share state topic."),
	}
}

func quotaKeys() []*ConfigKey {
	return []*ConfigKey{
		integer("quota.window.num", "11", 1, "The samples a quota is measured over."),
		integer("quota.window.size.seconds", "1", 1, "The length of one sample."),
		integer("controller.quota.window.num", "11", 1, "The samples of the controller's quota."),
		integer("controller.quota.window.size.seconds", "1", 1,
			"The length of one sample of the controller's quota."),
	}
}

func class(name, value, doc string) *ConfigKey { return newKey(ConfigClass, name, value, doc) }

func password(name, doc string) *ConfigKey { return newKey(ConfigPassword, name, "", doc).unset() }

func (k *ConfigKey) unset() *ConfigKey {
	k.NoDefault = true
	return k
}

func (k *ConfigKey) dynamic() *ConfigKey {
	k.Dynamic = true
	return k
}

func (k *ConfigKey) perBroker() *ConfigKey {
	k.PerBroker = true
	return k.dynamic()
}

// prefixed marks what Kafka lets change for one listener at a time. There are no such
// listeners yet, so it cannot change at all; and no secret comes into the metadata log.
func (k *ConfigKey) prefixed() *ConfigKey {
	k.Prefixed = true
	return k.perBroker()
}

func (k *ConfigKey) nonEmpty() *ConfigKey {
	k.NonEmpty = true
	return k
}
