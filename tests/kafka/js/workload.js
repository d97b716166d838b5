// kafkajs through a sidecar: topics, a group, a transaction committed and one aborted.
//
// The environment says where: BOOTSTRAP, SASL_USERNAME, SASL_PASSWORD, MARKER. Prints one line a
// step: its name, and what was seen, sorted.
'use strict'

const { Kafka, logLevel } = require('kafkajs')

const { BOOTSTRAP, SASL_USERNAME, SASL_PASSWORD, MARKER } = process.env
const [TOPIC, GROUP, TRANSACTIONAL_ID] = ['js-orders', 'js-group', 'js-transaction']
const RECORDS = 5

const sasl = SASL_PASSWORD && { mechanism: 'plain', username: SASL_USERNAME, password: SASL_PASSWORD }
const kafka = new Kafka({
  clientId: 'kafkajs',
  brokers: BOOTSTRAP.split(','),
  logLevel: logLevel.NOTHING,
  ...(sasl ? { sasl, ssl: false } : {}),
})

const show = (step, values) => console.log(`${step}: ${[...values].sort().join(', ')}`)
const message = label => number => ({ partition: 0, value: `${MARKER} ${label} ${number}` })
const messages = label => [...Array(RECORDS).keys()].map(message(label))

async function produce(send, label) {
  await send({ topic: TOPIC, messages: messages(label) })
}

async function consume(count) {
  const consumer = kafka.consumer({ groupId: GROUP, readUncommitted: false, maxWaitTimeInMs: 100 })
  const values = []
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, event => reject(event.payload.error))
    consumer
      .run({
        eachMessage: async ({ topic, message }) => {
          values.push(`${topic} ${message.value}`)
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.stop()
  await consumer.disconnect()
  return values
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true })
  show('topics', (await admin.listTopics()).filter(name => name.startsWith('js-')))

  const producer = kafka.producer({
    transactionalId: TRANSACTIONAL_ID,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  for (const label of ['first', 'aborted', 'second']) {
    const transaction = await producer.transaction()
    await produce(batch => transaction.send(batch), label)
    await (label === 'aborted' ? transaction.abort() : transaction.commit())
  }
  await producer.disconnect()

  show('consumed', await consume(RECORDS * 2))
  show('groups', (await admin.listGroups()).groups.map(each => each.groupId).filter(id => id.startsWith('js-')))
  const [offsets] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] })
  // Each commit and each abort left a marker in the partition.
  show('offsets', offsets.partitions.map(each => `${offsets.topic} ${each.offset}`))
  const described = await admin.describeGroups([GROUP])
  show('described', described.groups.map(each => `${each.groupId} ${each.state}`))
  await admin.deleteTopics({ topics: [TOPIC] })
  await admin.disconnect()
}

main().catch(error => {
  console.error(error.stack)
  process.exitCode = 1
})
