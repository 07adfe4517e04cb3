package parse

import "strings"

// alias is a field and the keys that stand for it, the preferred one first.
type alias struct {
	field fieldID
	keys  string
}

// jsonAliases maps fields to the keys under which servers, proxies and schemas log
// them, dotted if nested, in order of preference. Keys are matched ignoring case.
var jsonAliases = []alias{
	{fieldTime, "time_iso8601 @timestamp startutc timestamp time_local edgestarttimestamp start_time started_at accept_date ts time msec date datetime @t requesttime requesttimeepoch requestreceivedtimestamp reqtimesec t ibm_datetime timegenerated"},
	{fieldMethod, "request_method requestmethod http_method method verb httpmethod reqmethod request.method clientrequestmethod httprequest.requestmethod properties.httpmethod http.request.method req.method properties.requestmethod proxy.method properties.method csmethod cs-method ibm_requestmethod http-method http.method http_request.method"},
	{fieldTarget, "request_uri requesturi requestpath http_url clientrequesturi request.uri httprequest.requesturl properties.requesturi requested_uri url.original uri url path http_path request.url x-envoy-origin-path x-envoy-original-path http.request.uri req.url req.originalurl resourcepath request.path properties.requestpath proxy.path properties.url csuristem cs-uri-stem http_request.path http.url"},
	{fieldPath, "url.path uri_path reqpath ibm_uripath"},
	{fieldQuery, "args query_string querystring url.query query"},
	{fieldRequest, "request request_line routekey requestline"},
	{fieldOriginStatus, "downstreamstatus edgeresponsestatus"},
	{fieldAnswerer, "source"},
	{fieldPeer, "realip_remote_addr"},
	{fieldStatus, "status http_status status_code statuscode response_code response.status httprequest.status properties.httpstatuscode properties.httpstatus http.response.status_code response_status http.response.status res.statuscode res.status properties.statuscode responsestatus.code api.statuscode response-code status-code properties.responsecode responsecode ibm_responsecode scstatus sc-status http.status_code http_response.status"},
	{fieldResponse, "response"}, // of Logstash's pattern for access logs
	{fieldBytes, "body_bytes_sent bytes_sent downstreamcontentsize bytes size response_size response.size httprequest.responsesize http.response.body.bytes edgeresponsebytes properties.responsebytes response_body_size response_body_len written_bytes http.response.written responsesize responselength properties.sentbytes bytessent scbytes sc-bytes properties.responsesize ibm_bytesreceived http_response.size response_bytes"},
	{fieldUser, "remote_user clientusername consumer.username authenticated_entity.id user.name username user_name user_id user auth_user meta.user req.user req.user.name user.username remoteuser csusername cs-username ibm_remoteuserid"},
	{fieldSession, "cookie_session cookie_sessionid cookie_session_id cookie_sid cookie_phpsessid cookie_jsessionid session session_id sessionid sid http_x_session_id request_x-session-id request.headers.x-session-id request.headers.x-session-id[0]"},
	{fieldCookie, "http_cookie request_cookie request.headers.cookie request.headers.cookie[0] captured_request_cookie cookie cookies req.headers.cookie"},
	{fieldClient, "client_ip clientip request.client_ip clienthost remote_addr remote_ip request.remote_ip httprequest.remoteip properties.clientip client.ip client.address source.ip source.address remoteip remote_host clientaddr downstream_remote_address remote_address ip client id.orig_h request.remote_addr http.request.remoteaddr remoteaddr req.remoteaddress req.ip request.ip sourceips[0] cliip remotehost remote proxy.clientip cip c-ip calleripaddress ibm_remotehost client.addr http_request.remote network.client.ip remote-address httprequest.clientip"},
	{fieldForwarded, "http_x_forwarded_for x_forwarded_for xff request_x-forwarded-for request.headers.x-forwarded-for request.headers.x-forwarded-for[0] x-forwarded-for req.headers.x-forwarded-for forwarded-for"},
	{fieldForwardedHeader, "http_forwarded request_forwarded request.headers.forwarded request.headers.forwarded[0]"},
	{fieldRealIP, "http_x_real_ip x_real_ip http_cf_connecting_ip request_x-real-ip request.headers.x-real-ip request.headers.x-real-ip[0] request.headers.cf-connecting-ip[0] req.headers.x-real-ip"},
	{fieldProxied, "proxy_protocol_addr"},
	{fieldAuthorization, "http_authorization authorization request_authorization request.headers.authorization request.headers.authorization[0] req.headers.authorization"},
	{fieldAgent, "http_user_agent request_user-agent request.headers.user-agent request.headers.user-agent[0] clientrequestuseragent httprequest.useragent properties.useragent user_agent.original user_agent useragent agent user-agent request_user_agent http.request.useragent ua req.headers.user-agent req.useragent proxy.useragent[0] cs(user-agent) ibm_useragent http.useragent http_request.headers.user-agent"},
	{fieldReferrer, "http_referer http_referrer referer referrer request_referer request.headers.referer request.headers.referer[0] clientrequestreferer httprequest.referer http.request.referrer req.headers.referer"},
	{fieldHost, "proxy.host x-host-header ibm_requesthost http_host host request.host requesthost clientrequesthost server_name vhost authority url.domain request.headers.host :authority http.request.host req.headers.host req.hostname properties.host reqhost cshost cs(host) http_request.host"},
	{fieldScheme, "scheme request_scheme requestscheme url.scheme clientrequestscheme x_forwarded_proto"},
	{fieldProtocol, "server_protocol protocol requestprotocol request.proto clientrequestprotocol request_protocol proto"},
	{fieldUpstream, "upstream_addr upstream_host serviceaddr serviceurl servicename upstream originip tries[0].ip tries httprequest.serverip properties.originname upstream_cluster server_address backend_name proxy_upstream_name"},
	{fieldUpstreamStatus, "upstream_status originstatus originresponsestatus"},
	{fieldSeconds, "request_time duration_seconds properties.timetaken reqtime duration_s"},
	{fieldMicros, "ibm_elapsedtime"},
	{fieldMillis, "response_time_ms response-time durationms duration_ms latencies.request latency tt originresponsedurationms responsetime response_time elapsed_time properties.elapsed"},
	{fieldNanos, "event.duration total_ns http_response.took"},
	{fieldLatency, "latency_human httprequest.latency duration http.response.duration elapsedtime elapsed"},
	// lograge of Rails; Serilog, which writes the template of each message; Tomcat's JsonAccessLogValve
	{fieldMark, "controller @mt logicalusername"},
	{fieldReason, reasonKeys()},
	{fieldFlags, "response_flags"},
}

// reasonKeys returns the keys for the reason of a refusal: response headers that
// applications state it in, under the names that servers give to headers; what gateways
// call it; and the header that says how to authenticate, which may name an error too.
func reasonKeys() string {
	var b strings.Builder
	for _, prefix := range []string{"", "resp_headers.", "response.headers.", "downstream_", "origin_", "sent_http_", "upstream_http_", "response_headers."} {
		for _, name := range []string{"x-auth-failure", "x-auth-error", "x-auth-reason", "x-auth-failure-reason", "x-auth-error-reason", "x-authentication-error"} {
			if strings.HasSuffix(prefix, "http_") {
				name = strings.ReplaceAll(name, "-", "_")
			}
			b.WriteString(prefix + name + " ")
			if prefix == "resp_headers." { // Caddy logs lists
				b.WriteString(prefix + name + "[0] ")
			}
		}
	}
	// Amazon API Gateway: people choose the names for $context.authorizer.error and others.
	for _, source := range []string{"authorizer", "authorize", "authenticate", "auth"} {
		b.WriteString(source + "error " + source + "_error " + source + ".error " + "context." + source + ".error ")
	}
	b.WriteString("auth_reason auth_failure auth_failure_reason response_code_details response-code-details properties.lasterror.reason jsonpayload.statusdetails statusdetails " +
		"errorresponsetype error_responsetype error_response_type error.responsetype context.error.responsetype responsetype " +
		"resp_headers.www-authenticate resp_headers.www-authenticate[0] response.headers.www-authenticate downstream_www-authenticate origin_www-authenticate sent_http_www_authenticate res.headers.www-authenticate " +
		"error") // Grafana, Echo: what went wrong with the request
	return b.String()
}

// wrappers are keys of objects around what a server wrote, which shippers and logging
// libraries add: what is in such an object is read as if it stood outside.
var wrappers = [...]uint64{
	hashOf("log"), hashOf("message"), hashOf("fields"), hashOf("data"), hashOf("attributes"), hashOf("payload"),
	hashOf("jsonpayload"), hashOf("record"), hashOf("body"), hashOf("meta"), hashOf("_source"),
}

// pathOf returns the hash of the path of an object in the member with the hash h: without
// the member's key if it is a wrapper.
func pathOf(h uint64) uint64 {
	for _, w := range wrappers {
		if h == w {
			return fnvOffset
		}
	}
	return hashKey(h, dot)
}

// keyTable maps the hash of a key's dotted path in lower case to its field. The keys
// of a log come from the configuration of the server, not from its clients, so
// deliberate collisions are not a threat.
type keyTable struct {
	slots    [1024]keySlot
	used     int
	programs []*program
	reads    [numFields]bool
}

type keySlot struct {
	hash  uint64
	field fieldID
	rank  uint8 // 0 is preferred
	// program is one more than the index of the program for a value with several
	// fields. Slots are small because they fill the first-level cache.
	program uint16
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hashKey returns the hash of a path extended by the bytes of a key in lower case.
func hashKey(h uint64, key []byte) uint64 {
	for _, c := range key {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// hashOf returns the hash of a key of the top level.
func hashOf(key string) uint64 { return hashKey(fnvOffset, []byte(key)) }

// The keys of the status, and others, that identify the server.
var (
	hashRails   = hashOf("controller")
	hashSerilog = hashOf("@mt")
	hashTomcat  = hashOf("logicalusername")
	hashDatadog = hashOf("http.status_code")
	hashClient  = hashOf("client")
	hashRemote  = hashOf("remote")
	hashEnvoy   = hashOf("response_code")
	hashDashed  = hashOf("response-code") // Envoy's, as Pomerium logs it
	hashTraefik = hashOf("downstreamstatus")
)

// newKeyTable returns a table of the keys that the user assigned and of aliases.
func newKeyTable(aliases []alias, assigned map[string]fieldID) *keyTable {
	t := &keyTable{}
	t.addAll(aliases, assigned)
	return t
}

// addAll adds the keys that the user assigned, and aliases for the others.
func (t *keyTable) addAll(aliases []alias, assigned map[string]fieldID) {
	for name, f := range assigned {
		t.add(name, f, 0, nil)
	}
	for _, a := range aliases {
		for i, k := range strings.Fields(a.keys) {
			t.add(k, a.field, uint8(i+1), nil)
		}
	}
}

// maxKeys leaves slots of the table free, so that a search ends.
const maxKeys = 900

// add adds a key, unless it is in the table. g is the program for a value with
// several fields, else nil.
func (t *keyTable) add(key string, f fieldID, rank uint8, g *program) {
	h := hashOf(key)
	i := h % uint64(len(t.slots))
	for t.slots[i].hash != 0 {
		if t.slots[i].hash == h {
			return // assigned by the user, or the first alias
		}
		i = (i + 1) % uint64(len(t.slots))
	}
	if t.used == maxKeys {
		return
	}
	t.used++
	t.slots[i] = keySlot{hash: h, field: f, rank: rank}
	if g != nil {
		t.programs = append(t.programs, g)
		t.slots[i].program = uint16(len(t.programs))
	}
	t.reads[f] = true
}

// find returns the slot of a key, an empty slot if it is not in the table.
func (t *keyTable) find(h uint64) *keySlot {
	for i := h % uint64(len(t.slots)); ; i = (i + 1) % uint64(len(t.slots)) {
		if s := &t.slots[i]; s.hash == h || s.hash == 0 {
			return s
		}
	}
}
