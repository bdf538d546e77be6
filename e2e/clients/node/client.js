// kafkajs under the contract of e2e/clients.
//
// Its consumer wants a group. Until there are groups, partitions are read through the
// library's own cluster and broker objects, which encode, decode and decompress as the
// consumer does.
const fs = require('fs')
const readline = require('readline')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }

const kafka = new Kafka({
  clientId: 'tidemark-e2e',
  brokers: [process.argv[2]],
  logLevel: logLevel.NOTHING,
  retry: { retries: 3 },
})
const privately = name =>
  kafka[Object.getOwnPropertySymbols(kafka).find(s => s.description === `private:Kafka:${name}`)]

const pack = b => (b === null || b === undefined ? null : b.toString('base64'))
const unpack = s => (s === null || s === undefined ? null : Buffer.from(s, 'base64'))

function headersOf(list) {
  const headers = {}
  for (const { k, v } of list || []) {
    const value = unpack(v)
    headers[k] = k in headers ? [].concat(headers[k], [value]) : value
  }
  return headers
}

function listOf(headers) {
  const list = []
  for (const [k, v] of Object.entries(headers || {})) {
    for (const one of Array.isArray(v) ? v : [v]) list.push({ k, v: pack(one) })
  }
  return list
}

async function withAdmin(act) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await act(admin)
  } finally {
    await admin.disconnect()
  }
}

const verbs = {
  async about() {
    return {
      client: 'kafkajs',
      version: require('kafkajs/package.json').version + ` (node ${process.versions.node})`,
      codecs: Object.keys(codecs),
      idempotence: true,
      // A header of its type is text or bytes, never absent.
      no_null_headers: true,
    }
  },

  async produce(q) {
    const producer = kafka.producer({
      idempotent: q.idempotent,
      maxInFlightRequests: q.idempotent ? 1 : 5,
      createPartitioner: () => {
        const own = require('kafkajs').Partitioners.DefaultPartitioner()
        return args => own(args)
      },
    })
    await producer.connect()
    const records = fs.readFileSync(q.file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line))
    let acked = 0
    const errors = {}
    // It makes one batch of what one call has for a partition.
    const most = Math.max(1, Math.floor(500000 / Math.max(...records.map(r => (r.v || '').length))))
    for (let i = 0; i < records.length; i += most) {
      const messages = records.slice(i, i + most).map(r => ({
        key: unpack(r.k),
        value: unpack(r.v),
        headers: headersOf(r.h),
        timestamp: String(r.t),
        ...(r.p < 0 ? {} : { partition: r.p }),
      }))
      try {
        await producer.send({ topic: q.topic, acks: q.acks, compression: codecs[q.codec], messages })
        acked += messages.length
      } catch (e) {
        errors[`${e.type || e.name}: ${e.message}`] = messages.length
      }
    }
    await producer.disconnect()
    return { acked, errors }
  },

  async consume(q) {
    const ends = await withAdmin(a => a.fetchTopicOffsets(q.topic))
    const cluster = privately('createCluster')({ metadataMaxAge: 300000, isolationLevel: 1 })
    await cluster.connect()
    await cluster.addTargetTopic(q.topic)
    const out = fs.openSync(q.file, 'w')
    let count = 0
    for (const { partition, high } of ends) {
      const leaders = cluster.findLeaderForPartitions(q.topic, [partition])
      const broker = await cluster.findBroker({ nodeId: Object.keys(leaders)[0] })
      let next = 0n
      while (next < BigInt(high)) {
        const fetched = await broker.fetch({
          isolationLevel: 1,
          maxWaitTime: 100,
          minBytes: 1,
          maxBytes: 10485760,
          topics: [{ topic: q.topic, partitions: [{ partition, fetchOffset: next.toString(), maxBytes: 1048576 }] }],
        })
        for (const m of fetched.responses[0].partitions[0].messages) {
          if (BigInt(m.offset) < next) continue // the batch begins earlier, as a consumer knows
          const line = { p: partition, o: Number(m.offset), t: Number(m.timestamp), k: pack(m.key), v: pack(m.value) }
          fs.writeSync(out, JSON.stringify({ ...line, h: listOf(m.headers) }) + '\n')
          next = BigInt(m.offset) + 1n
          count++
        }
      }
    }
    fs.closeSync(out)
    await cluster.disconnect()
    return { count }
  },

  async offset(q) {
    if (q.at === 'max-timestamp') return { unsupported: true }
    return withAdmin(async admin => {
      const of = list => Number(list.find(p => p.partition === q.partition)[q.at === 'earliest' ? 'low' : 'offset'])
      if (q.at === 'earliest' || q.at === 'latest') return { offset: of(await admin.fetchTopicOffsets(q.topic)) }
      return { offset: of(await admin.fetchTopicOffsetsByTimestamp(q.topic, Number(q.at))) }
    })
  },

  async create(q) {
    const configEntries = Object.entries(q.configs || {}).map(([name, value]) => ({ name, value }))
    const topic = { topic: q.topic, numPartitions: q.partitions, replicationFactor: 1, configEntries }
    const made = await withAdmin(admin => admin.createTopics({ topics: [topic], waitForLeaders: true }))
    return made ? {} : { error: 'the topic exists already' }
  },

  async grow(q) {
    await withAdmin(admin => admin.createPartitions({ topicPartitions: [{ topic: q.topic, count: q.partitions }] }))
    return {}
  },

  async describe(q) {
    const found = await withAdmin(admin => admin.fetchTopicMetadata({ topics: [q.topic] }))
    return { partitions: found.topics[0].partitions.length }
  },

  async configs(q) {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: q.topic }]
    const found = await withAdmin(admin => admin.describeConfigs({ resources, includeSynonyms: false }))
    const configs = {}
    for (const e of found.resources[0].configEntries) configs[e.configName] = e.configValue
    return { configs }
  },

  // The library knows only the older call, which replaces all that was set.
  async alter(q) {
    const configEntries = Object.entries(q.configs).map(([name, value]) => ({ name, value }))
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: q.topic, configEntries }]
    await withAdmin(admin => admin.alterConfigs({ validateOnly: false, resources }))
    return {}
  },

  async list() {
    return { topics: (await withAdmin(admin => admin.listTopics())).sort() }
  },

  async trim(q) {
    const partitions = [{ partition: q.partition, offset: String(q.offset) }]
    await withAdmin(async admin => {
      await admin.fetchTopicOffsets(q.topic) // else the library does not know the leaders
      await admin.deleteTopicRecords({ topic: q.topic, partitions })
    })
    return verbs.offset({ ...q, at: 'earliest' })
  },

  async delete(q) {
    await withAdmin(admin => admin.deleteTopics({ topics: [q.topic] }))
    return {}
  },
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const q = JSON.parse(line)
    let answer
    try {
      answer = verbs[q.do] ? await verbs[q.do](q) : { unsupported: true }
    } catch (e) {
      answer = { error: `${e.type || e.name}: ${e.message}` }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  process.exit(0)
}

main()
