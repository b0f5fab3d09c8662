// Carries events from the Runtime API to a Node handler and its answers back: one kept connection, on which an answer
// and the request for the next event go out together.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'

const { AWS_LAMBDA_RUNTIME_API: address, LAMBDA_TASK_ROOT: task, _HANDLER: handlerName } = process.env
const [host, port] = address.split(':')
const API = '/2018-06-01/runtime/'
const HEAD_END = Buffer.from('\r\n\r\n')

let requestId = ''

// ---- The connection -------------------------------------------------------------------------------------------------

const socket = net.connect({ host, port: Number(port), noDelay: true })
let received = []
let length = 0
let expected = null
const waiting = []

socket.on('data', (chunk) => {
  received.push(chunk)
  length += chunk.length
  while (takeAnswer()) ;
})
socket.on('error', () => process.exit(1))
socket.on('close', () => process.exit(0))

function takeAnswer () {
  if (expected !== null && length < expected.end) return false
  if (length === 0) return false
  const bytes = received.length === 1 ? received[0] : Buffer.concat(received, length)
  received = [bytes]
  if (expected === null) {
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) return false
    const lines = bytes.toString('latin1', 0, end).split('\r\n')
    const headers = Object.create(null)
    for (let i = 1; i < lines.length; i++) {
      const colon = lines[i].indexOf(':')
      headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim()
    }
    const bodyAt = end + HEAD_END.length
    expected = { status: Number(lines[0].slice(9, 12)), headers, bodyAt, end: bodyAt + Number(headers['content-length'] ?? 0) }
    if (length < expected.end) return false
  }
  const { status, headers, bodyAt, end } = expected
  const rest = bytes.subarray(end)
  received = rest.length > 0 ? [rest] : []
  length = rest.length
  expected = null
  waiting.shift()({ status, headers, body: bytes.subarray(bodyAt, end) })
  return true
}

const heard = () => new Promise((resolve) => waiting.push(resolve))
const asNext = `GET ${API}invocation/next HTTP/1.1\r\nHost: ${address}\r\n\r\n`

function asPost (where, body, errorType) {
  const kind = errorType ? `Lambda-Runtime-Function-Error-Type: ${errorType.replace(/[^\x21-\x7e]/g, '_')}\r\n` : ''
  return `POST ${API}${where} HTTP/1.1\r\nHost: ${address}\r\nContent-Type: application/json\r\n${kind}` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

// ---- The log --------------------------------------------------------------------------------------------------------

const LEVELS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' }

function sayAs (level, text) {
  process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}`.replace(/\n/g, '\r') + '\n')
}
for (const [method, level] of Object.entries(LEVELS)) {
  console[method] = (...what) => sayAs(level, format(...what))
}

// ---- Errors, as AWS's Node runtime tells them -------------------------------------------------------------------------

function described (error, as) {
  if (error instanceof Error || Object.prototype.toString.call(error) === '[object Error]') {
    return {
      errorType: as ?? error.name ?? 'Error',
      errorMessage: as ? String(error) : error.message,
      trace: (error.stack ?? '').split('\n')
    }
  }
  return { errorType: as ?? typeof error, errorMessage: String(error), trace: [] }
}

function named (errorType, message) {
  const error = new Error(message)
  error.name = errorType
  return error
}

// ---- The handler ----------------------------------------------------------------------------------------------------

function isModule (file) {
  if (file.endsWith('.mjs')) return true
  if (file.endsWith('.cjs')) return false
  for (let folder = path.dirname(file); folder.startsWith(task); folder = path.dirname(folder)) {
    const described = path.join(folder, 'package.json')
    if (existsSync(described)) return JSON.parse(readFileSync(described, 'utf8')).type === 'module'
  }
  return false
}

async function load () {
  const match = /^((?:.*\/)?[^.]*)\.(.*)$/.exec(handlerName)
  if (!match || handlerName.includes('..')) throw named('Runtime.MalformedHandlerName', 'Bad handler')
  const [, stem, property] = match
  const base = path.resolve(task, stem)
  const file = ['.js', '.mjs', '.cjs', ''].map((ending) => base + ending).find((file) => existsSync(file))
  let loaded
  try {
    if (!file) throw new Error(`Cannot find module '${stem}'`)
    loaded = isModule(file) ? await import(pathToFileURL(file)) : createRequire(file)(file)
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(error, { as: 'Runtime.UserCodeSyntaxError' })
    const missing = !file || error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND'
    throw missing ? Object.assign(error, { as: 'Runtime.ImportModuleError' }) : error
  }
  const handler = property.split('.').reduce((object, name) => object?.[name], loaded)
  if (handler === undefined) throw named('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`)
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${handlerName} is not a function`)
  return handler
}

const parsed = (text) => text ? JSON.parse(text) : undefined

function contextOf (headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const env = process.env
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers['lambda-runtime-client-context']),
    identity: parsed(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0)
  }
}

// Settles with what the handler returns, or what it gives its callback, or null when nothing is left to wait for.
function invoke (handler, event, context) {
  return new Promise((resolve, reject) => {
    let outcome = null
    const finish = () => outcome?.error != null ? reject(outcome.error) : resolve(outcome?.value ?? null)
    const callback = (error, value) => {
      if (outcome !== null) return
      outcome = { error, value }
      if (!context.callbackWaitsForEmptyEventLoop) setImmediate(finish)
    }
    context.done = callback
    context.succeed = (value) => { context.callbackWaitsForEmptyEventLoop = false; callback(null, value) }
    context.fail = (error) => { context.callbackWaitsForEmptyEventLoop = false; callback(error ?? 'handled') }
    process.removeAllListeners('beforeExit')
    process.once('beforeExit', finish)
    const returned = handler(event, context, callback)
    if (typeof returned?.then === 'function') returned.then(resolve, reject)
  })
}

async function run (handler) {
  let next = heard()
  socket.write(asNext)
  for (;;) {
    const { headers, body } = await next
    requestId = headers['lambda-runtime-aws-request-id']
    process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? ''
    socket.unref()
    let post
    try {
      const value = await invoke(handler, JSON.parse(body.toString()), contextOf(headers))
      post = asPost(`invocation/${requestId}/response`, JSON.stringify(value === undefined ? null : value) ?? 'null')
    } catch (error) {
      const told = described(error)
      sayAs('ERROR', `Invoke Error \t${JSON.stringify({ ...told, stack: told.trace, trace: undefined })}`)
      post = asPost(`invocation/${requestId}/error`, JSON.stringify(told), told.errorType)
    }
    socket.ref()
    heard()
    next = heard()
    socket.write(post + asNext)
  }
}

async function dieOf (error, as, code) {
  const told = described(error, as)
  sayAs('ERROR', `Uncaught Exception \t${JSON.stringify({ ...told, stack: told.trace, trace: undefined })}`)
  if (waiting.length > 0) process.exit(code) // Between invocations there is nobody to tell.
  const where = requestId ? `invocation/${requestId}/error` : 'init/error'
  const answered = heard()
  socket.ref()
  socket.write(asPost(where, JSON.stringify(told), told.errorType))
  await answered
  process.exit(code)
}

process.on('uncaughtException', (error) => dieOf(error, undefined, 129))
process.on('unhandledRejection', (error) => dieOf(error, 'Runtime.UnhandledPromiseRejection', 128))

// ---- The way out ----------------------------------------------------------------------------------------------------

const { HTTPS_PROXY: proxy = '', NO_PROXY: direct = '' } = process.env
if (proxy.startsWith('http://127.0.0.1:') && Number(process.versions.node.split('.')[0]) < 24) {
  const { leadOut } = await import('./proxy.mjs')
  leadOut(proxy, new Set(direct.split(',')))
}

try {
  await run(await load())
} catch (error) {
  await dieOf(error, error?.as, 1)
}
