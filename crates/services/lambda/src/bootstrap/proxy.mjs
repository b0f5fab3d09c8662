// Node before version 24 knows no HTTPS_PROXY. In a sandbox with a network of its own there is no other way out, so
// fetch, http and https are led to it here: every connection that NO_PROXY doesn't name is a CONNECT through the proxy.
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'

const DISPATCHER = Symbol.for('undici.globalDispatcher.1')

export function leadOut (proxy, direct) {
  const { hostname: proxyHost, port: proxyPort } = new URL(proxy)
  const isDirect = (host) => direct.has(host.replace(/^\[|\]$/g, ''))

  function connect ({ secure, host, port, servername, alpn }, callback) {
    const finish = (socket) => {
      if (!secure) return callback(null, socket)
      const name = servername || (net.isIP(host) ? undefined : host)
      const wrapped = tls.connect({ socket, servername: name, ALPNProtocols: alpn })
      wrapped.once('secureConnect', () => callback(null, wrapped)).once('error', callback)
    }
    if (isDirect(host)) {
      const socket = net.connect(port, host)
      socket.once('connect', () => finish(socket)).once('error', callback)
      return
    }
    const request = http.request({ host: proxyHost, port: proxyPort, method: 'CONNECT', path: `${host}:${port}`, agent: new http.Agent() })
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) return finish(socket)
      socket.destroy()
      callback(new Error(`${host}:${port} is not reachable from this function (${response.statusCode})`))
    })
    request.once('error', callback).end()
  }

  for (const [module, secure] of [[http, false], [https, true]]) {
    class Agent extends module.Agent {
      createConnection (options, callback) {
        const { host, port, servername } = options
        connect({ secure, host, port, servername }, callback)
      }
    }
    module.globalAgent = new Agent({ keepAlive: true, timeout: 5000 })
  }

  // Loaded at the first use alone: it takes its time.
  const own = globalThis.fetch
  globalThis.fetch = function fetch (...what) {
    globalThis.fetch = own
    void globalThis.Headers
    const Agent = globalThis[DISPATCHER]?.constructor
    if (Agent) {
      globalThis[DISPATCHER] = new Agent({
        connect: ({ hostname, protocol, port, servername }, callback) => {
          const secure = protocol === 'https:'
          connect({ secure, host: hostname, port: Number(port) || (secure ? 443 : 80), servername, alpn: ['http/1.1'] }, callback)
        }
      })
    }
    return own(...what)
  }
}
