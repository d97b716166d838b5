// kafkajs, producing steadily: node steady.js BOOTSTRAP TOPIC INTERVAL_MS
//
// One record in so many milliseconds to partition 0, each awaited, with the library's defaults
// (acks=all, no idempotence), until stdin ends. Prints "ready" with the first acknowledgement, and
// in the end one line of JSON: what was sent, acknowledged, failed, and the slowest but for the first
// in milliseconds.
'use strict'

const { Kafka, logLevel } = require('kafkajs')

const [bootstrap, topic, interval] = process.argv.slice(2)
const kafka = new Kafka({
  clientId: 'kafkajs',
  brokers: bootstrap.split(','),
  logLevel: logLevel.NOTHING,
})

async function main() {
  const producer = kafka.producer()
  await producer.connect()
  let ended = false
  process.stdin.on('end', () => (ended = true)).resume()
  const tally = { sent: 0, acknowledged: 0, failed: {}, slowest_ms: 0 }
  while (!ended) {
    await new Promise(resolve => setTimeout(resolve, Number(interval)))
    const began = performance.now()
    tally.sent += 1
    try {
      await producer.send({ topic, messages: [{ partition: 0, value: String(tally.sent) }] })
      if (tally.acknowledged++) {
        const took = Math.round((performance.now() - began) * 10) / 10
        tally.slowest_ms = Math.max(tally.slowest_ms, took)
      } else {
        console.log('ready') // what waited for the first connections says nothing
      }
    } catch (error) {
      tally.failed[error.name] = (tally.failed[error.name] || 0) + 1
    }
  }
  await producer.disconnect()
  console.log(JSON.stringify(tally))
  process.exit(0)
}

main().catch(error => {
  console.error(error.stack)
  process.exit(1)
})
