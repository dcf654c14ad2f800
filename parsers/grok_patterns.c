#include "parsers/grok_patterns.h"

#include <stddef.h>

/* One to four hexadecimal digits of an IPv6 address, and a dotted IPv4 tail. */
#define HEX "[0-9A-Fa-f]{1,4}"
#define OCTET "(?:25[0-5]|2[0-4]\\d|[01]?\\d?\\d)"
#define DOTTED OCTET "(?:\\." OCTET "){3}"

/* Exactly `n` groups, then `::` and at most `more` groups; `tail` before a dotted end.
 */
#define IPV6_GAP(n, more, tail)                                                \
	"(?:" HEX ":){" #n "}(?:(?::" HEX "){0," #tail "}:" DOTTED "|(?::" HEX \
	"){1," #more "}|:)"

/* What syslog writes before a message of HAProxy. */
#define HAPROXY_HEAD                                                                  \
	"(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) " \
	"%{IPORHOST:syslog_server} %{SYSLOGPROG}: "
#define HAPROXY_CLIENT                                                         \
	"%{IP:client_ip}:%{INT:client_port} \\[%{HAPROXYDATE:accept_date}\\] " \
	"%{NOTSPACE:frontend_name}"
#define HAPROXY_CONNECTIONS                                          \
	"%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/" \
	"%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue}"

const struct grok_pattern grok_patterns[] = {
	/* words and numbers */
	{"USERNAME", "[\\w.-]+"},
	{"USER", "%{USERNAME}"},
	{"EMAILLOCALPART", "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][\\w!#$%&'*+/=?^`{|}~.:-]*"},
	{"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
	{"INT", "[+-]?\\d+"},
	{"BASE10NUM", "(?<![\\d.+-])(?>[+-]?(?:\\d+(?:\\.\\d+)?|\\.\\d+))"},
	{"NUMBER", "%{BASE10NUM}"},
	{"BASE16NUM", "(?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+"},
	{"BASE16FLOAT", "\\b(?<![0-9A-Fa-f.])[+-]?(?:0x)?"
			"(?:[0-9A-Fa-f]+(?:\\.[0-9A-Fa-f]*)?|\\.[0-9A-Fa-f]+)\\b"},
	{"POSINT", "\\b[1-9]\\d*\\b"},
	{"NONNEGINT", "\\b\\d+\\b"},
	{"WORD", "\\b\\w+\\b"},
	{"NOTSPACE", "\\S+"},
	{"SPACE", "\\s*"},
	{"DATA", ".*?"},
	{"GREEDYDATA", ".*"},
	{"QUOTEDSTRING",
	 "(?<!\\\\)(?:\"(?:[^\"\\\\]++|\\\\.)*+\"|'(?:[^'\\\\]++|\\\\.)*+'|"
	 "`(?:[^`\\\\]++|\\\\.)*+`)"},
	{"QS", "%{QUOTEDSTRING}"},
	{"UUID", "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"},
	{"URN", "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:"
		"(?:%[0-9A-Fa-f]{2}|[\\w()+,.:=@;$!*'/?#-])+"},

	/* addresses */
	{"MAC", "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})"},
	{"CISCOMAC", "[0-9A-Fa-f]{4}(?:\\.[0-9A-Fa-f]{4}){2}"},
	{"WINDOWSMAC", "[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}"},
	{"COMMONMAC", "[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}"},
	{"IPV6",
	 "(?:(?:" HEX ":){6}(?:" DOTTED "|" HEX ":" HEX
	 ")|" IPV6_GAP(6, 1, 0) "|" IPV6_GAP(5, 2, 0) "|" IPV6_GAP(
		 4, 3,
		 1) "|" IPV6_GAP(3, 4,
				 2) "|" IPV6_GAP(2, 5,
						 3) "|" IPV6_GAP(1, 6,
								 4) "|:(?:(?::" HEX
								    "){0,5}:" DOTTED
								    "|(?::" HEX
								    "){1,7}|:)|(?:" HEX
								    ":){7}:)(?:%[\\w.~-"
								    "]+)?"},
	{"IPV4", "(?<!\\d)" DOTTED "(?!\\d)"},
	{"IP", "(?:%{IPV6}|%{IPV4})"},
	{"HOSTNAME",
	 "\\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*"
	 "(?:\\.|\\b)"},
	{"IPORHOST", "(?:%{IP}|%{HOSTNAME})"},
	{"HOSTPORT", "%{IPORHOST}:%{POSINT}"},

	/* paths and URIs */
	{"PATH", "(?:%{UNIXPATH}|%{WINPATH})"},
	{"UNIXPATH", "(?:/[\\w%!$@:.,+~-]*)+"},
	{"TTY", "/dev/(?:pts/|tty[pq]?)\\w*\\d"},
	{"WINPATH", "(?:[A-Za-z]+:|\\\\)(?:\\\\[^\\\\?*]*)+"},
	{"URIPROTO", "[A-Za-z][A-Za-z0-9+.-]+"},
	{"URIHOST", "%{IPORHOST}(?::%{POSINT:port})?"},
	{"URIPATH", "(?:/[\\w$.+!*'(){},~:;=@#%&-]*)+"},
	{"URIQUERY", "[\\w$.+!*'|(){},~@#%&/=:;?\\-\\[\\]<>]*"},
	{"URIPARAM", "\\?%{URIQUERY}"},
	{"URIPATHPARAM", "%{URIPATH}(?:%{URIPARAM})?"},
	{"URI", "%{URIPROTO}://(?:%{USER}(?::[^@\\s]*)?@)?(?:%{URIHOST})?"
		"(?:%{URIPATHPARAM})?"},

	/* dates and times: English month names, and German ones */
	{"MONTH",
	 "\\b(?i:jan(?:uary?)?|feb(?:ruary?)?|m(?:a|ä)?r(?:ch|z)?|apr(?:il)?|ma[yi]|"
	 "jun[ei]?|jul[yi]?|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|"
	 "nov(?:ember)?|de[cz](?:ember)?)\\b"},
	{"MONTHNUM", "(?:1[0-2]|0?[1-9])"},
	{"MONTHNUM2", "(?:1[0-2]|0[1-9])"},
	{"MONTHDAY", "(?:3[01]|[12]\\d|0[1-9]|[1-9])"},
	{"DAY", "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|"
		"Sat(?:urday)?|Sun(?:day)?)"},
	{"YEAR", "(?>\\d{4}|\\d\\d)"},
	{"HOUR", "(?:2[0-3]|[01]?\\d)"},
	{"MINUTE", "[0-5]\\d"},
	{"SECOND", "(?:60|[0-5]?\\d)(?:[:.,]\\d+)?"},
	{"TIME", "(?<!\\d)%{HOUR}:%{MINUTE}:%{SECOND}(?!\\d)"},
	{"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
	{"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
	{"DATE", "(?:%{DATE_US}|%{DATE_EU})"},
	{"DATESTAMP", "%{DATE}[- ]%{TIME}"},
	{"ISO8601_TIMEZONE", "(?:Z|[+-]%{HOUR}:?%{MINUTE})"},
	{"ISO8601_SECOND", "%{SECOND}"},
	{"TIMESTAMP_ISO8601", "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}"
			      "(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"},
	{"TZ", "(?:[A-Z]{1,4}[SD]?T|UTC)"},
	{"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
	{"DATESTAMP_RFC2822",
	 "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
	{"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
	{"DATESTAMP_EVENTLOG",
	 "%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"},
	{"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},

	{"LOGLEVEL",
	 "(?i:alert|trace|debug|notice|info(?:rmation)?|inf|warn(?:ing)?|war|"
	 "err(?:or)?|er|crit(?:ical)?|cri|fatal|severe|emerg(?:ency)?)"},

	/* syslog, cron */
	{"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
	{"PROG", "[!-Z\\\\^-~]+"},
	{"SYSLOGPROG", "%{PROG:program}(?:\\[%{POSINT:pid}\\])?"},
	{"SYSLOGHOST", "%{IPORHOST}"},
	{"SYSLOGFACILITY", "<%{NONNEGINT:facility}\\.%{NONNEGINT:priority}>"},
	{"SYSLOGBASE", "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?"
		       "%{SYSLOGHOST:logsource} %{SYSLOGPROG}:"},
	{"SYSLOGBASE2",
	 "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) "
	 "(?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}(?: %{SYSLOGPROG}:)?"},
	{"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},
	{"SYSLOGPAMSESSION",
	 "%{SYSLOGBASE} "
	 "(?=%{GREEDYDATA:message})%{WORD:pam_module}\\(%{DATA:pam_caller}\\): "
	 "session %{WORD:pam_session_state} for user "
	 "%{USERNAME:username}(?:\\(uid=\\d+\\))?"
	 "(?: by %{GREEDYDATA:pam_by})?"},
	{"SYSLOG5424PRINTASCII", "[!-~]+"},
	{"SYSLOG5424PRI", "<%{NONNEGINT:syslog5424_pri}>"},
	{"SYSLOG5424SD", "(?:\\[(?:[^\\]\\\\]|\\\\.)*\\])+"},
	{"SYSLOG5424BASE",
	 "%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver} +"
	 "(?:-|%{TIMESTAMP_ISO8601:syslog5424_ts}) +(?:-|%{IPORHOST:syslog5424_host}) +"
	 "(?:-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +"
	 "(?:-|%{SYSLOG5424PRINTASCII:syslog5424_proc}) +"
	 "(?:-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +"
	 "(?:-|%{SYSLOG5424SD:syslog5424_sd})?"},
	{"SYSLOG5424LINE", "%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg}"},
	{"CRON_ACTION", "[A-Z ]+"},
	{"CRONLOG", "%{SYSLOGBASE} \\(%{USER:user}\\) %{CRON_ACTION:action} "
		    "\\(%{DATA:message}\\)"},

	/* Apache httpd, nginx, Squid */
	{"HTTPDUSER", "(?:%{EMAILADDRESS}|%{USER})"},
	{"HTTPDERROR_DATE", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"},
	{"HTTPD_COMMONLOG",
	 "%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} "
	 "\\[%{HTTPDATE:timestamp}\\] \"(?:%{WORD:verb} %{NOTSPACE:request}"
	 "(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})\" "
	 "(?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes})"},
	{"HTTPD_COMBINEDLOG", "%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}"},
	{"COMMONAPACHELOG", "%{HTTPD_COMMONLOG}"},
	{"COMBINEDAPACHELOG", "%{HTTPD_COMBINEDLOG}"},
	{"HTTPD20_ERRORLOG",
	 "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[%{LOGLEVEL:loglevel}\\] "
	 "(?:\\[client %{IPORHOST:clientip}\\] )?"
	 "%{GREEDYDATA:message}"},
	{"HTTPD24_ERRORLOG",
	 "\\[%{HTTPDERROR_DATE:timestamp}\\] "
	 "\\[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}\\] "
	 "\\[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\\]"
	 "(?: \\(%{POSINT:proxy_errorcode}\\)%{DATA:proxy_message}:)?"
	 "(?: \\[client %{IPORHOST:clientip}:%{POSINT:clientport}\\])?"
	 "(?: %{DATA:errorcode}:)? %{GREEDYDATA:message}"},
	{"HTTPD_ERRORLOG", "(?:%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG})"},
	{"NGINX_ACCESS", "%{HTTPD_COMBINEDLOG}"},
	{"NGINX_ERROR",
	 "(?<timestamp>%{YEAR}/%{MONTHNUM}/%{MONTHDAY} %{TIME}) "
	 "\\[%{LOGLEVEL:loglevel}\\] "
	 "%{POSINT:pid}#%{NONNEGINT:tid}: (?:\\*%{NONNEGINT:connection} "
	 ")?%{DATA:message}"
	 "(?:, client: %{IP:clientip})?(?:, server: %{DATA:server})?"
	 "(?:, request: \"%{DATA:request}\")?(?:, upstream: \"%{DATA:upstream}\")?"
	 "(?:, host: \"%{DATA:host}\")?(?:, referrer: \"%{DATA:referrer}\")?$"},
	{"SQUID3",
	 "%{NUMBER:timestamp}\\s+%{NUMBER:duration}\\s%{IP:client_address}\\s"
	 "%{WORD:cache_result}/%{NONNEGINT:status_code}\\s%{NUMBER:bytes}\\s"
	 "%{WORD:request_method}\\s%{NOTSPACE:url}\\s(?:-|%{NOTSPACE:user})\\s"
	 "%{WORD:hierarchy_code}/(?:-|%{IPORHOST:server})\\s"
	 "%{NOTSPACE:content_type}"},

	/* HAProxy */
	{"HAPROXYTIME", "(?<!\\d)%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:"
			"(?<haproxy_second>60|[0-5]?\\d)(?!\\d)"},
	{"HAPROXYDATE", "%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/"
			"%{YEAR:haproxy_year}:%{HAPROXYTIME:haproxy_time}\\."
			"%{INT:haproxy_milliseconds}"},
	{"HAPROXYCAPTUREDREQUESTHEADERS", "%{DATA:captured_request_headers}"},
	{"HAPROXYCAPTUREDRESPONSEHEADERS", "%{DATA:captured_response_headers}"},
	{"HAPROXYHTTPBASE", HAPROXY_CLIENT
	 " %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} "
	 "%{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/"
	 "%{INT:time_backend_response}/%{NOTSPACE:time_duration} "
	 "%{INT:http_status_code} "
	 "%{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} "
	 "%{DATA:captured_response_cookie} "
	 "%{NOTSPACE:termination_state} " HAPROXY_CONNECTIONS
	 " (?:\\{%{HAPROXYCAPTUREDREQUESTHEADERS}\\} ?)?"
	 "(?:\\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\\} ?)?"
	 "\"(?:<BADREQ>|%{WORD:http_verb} (?:%{URIPROTO:http_proto}://)?"
	 "(?:%{USER:http_user}(?::[^@\\s]*)?@)?(?:%{URIHOST:http_host})?"
	 "(?:%{URIPATHPARAM:http_request})?(?: HTTP/%{NUMBER:http_version})?)?\"?"},
	{"HAPROXYHTTP", HAPROXY_HEAD "%{HAPROXYHTTPBASE}"},
	{"HAPROXYTCP", HAPROXY_HEAD HAPROXY_CLIENT
	 " %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} "
	 "%{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} "
	 "%{NOTSPACE:bytes_read} %{NOTSPACE:termination_state} " HAPROXY_CONNECTIONS},
	{"HAPROXYERROR", HAPROXY_HEAD HAPROXY_CLIENT
	 "/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message}"},

	/* Java, Ruby */
	{"JAVACLASS", "(?:[A-Za-z0-9_$-]+\\.)*[A-Za-z_$][\\w$]*"},
	{"JAVAFILE", "[\\w. -]+"},
	{"JAVAMETHOD", "(?:<(?:cl)?init>|[A-Za-z_$][\\w$]*)"},
	{"JAVATHREAD", "[A-Z]{2}-Processor\\d+"},
	{"JAVASTACKTRACEPART", "%{SPACE}at %{JAVACLASS:class}\\.%{JAVAMETHOD:method}"
			       "\\(%{JAVAFILE:file}(?::%{NUMBER:line})?\\)"},
	{"JAVALOGMESSAGE", ".*"},
	{"CATALINA_DATESTAMP",
	 "%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) "
	 "(?:AM|PM)"},
	{"TOMCAT_DATESTAMP", "%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:?%{MINUTE}"
			     "(?::?%{SECOND}) %{ISO8601_TIMEZONE}"},
	{"CATALINALOG", "%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} "
			"%{JAVALOGMESSAGE:logmessage}"},
	{"TOMCATLOG", "%{TOMCAT_DATESTAMP:timestamp} \\| %{LOGLEVEL:level} \\| "
		      "%{JAVACLASS:class} - %{JAVALOGMESSAGE:logmessage}"},
	{"RUBY_LOGLEVEL", "(?:DEBUG|INFO|WARN|ERROR|FATAL|ANY)"},
	{"RUBY_LOGGER",
	 "[DIWEFA], \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\\] *"
	 "%{RUBY_LOGLEVEL:loglevel} -- +%{DATA:progname}: "
	 "%{GREEDYDATA:message}"},

	/* Redis, PostgreSQL, MongoDB */
	{"REDISTIMESTAMP", "%{MONTHDAY} %{MONTH} (?:%{YEAR} )?%{TIME}"},
	{"REDISLOG", "(?:\\[%{POSINT:pid}\\]|%{POSINT:pid}:[A-Z]) "
		     "%{REDISTIMESTAMP:timestamp} [*#.-] "},
	{"REDISMONLOG",
	 "%{NUMBER:timestamp} \\[%{INT:database} %{IP:client}:%{NUMBER:port}\\] "
	 "\"%{WORD:command}\"\\s?%{GREEDYDATA:params}"},
	{"POSTGRESQL", "%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} "
		       "%{GREEDYDATA:connection_id} %{POSINT:pid}"},
	{"PG_TIMESTAMP",
	 "%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND} [A-Z]{3,4}"},
	{"PG_ERROR_PATTERN", "(?:ERROR|WARNING|FATAL|PANIC)"},
	{"PG_ERROR_LEVEL", "%{PG_ERROR_PATTERN:log_level}:"},
	{"MONGO_WORDDASH", "\\b[\\w-]+\\b"},
	{"MONGO_LOG",
	 "%{SYSLOGTIMESTAMP:timestamp} \\[%{WORD:component}\\] %{GREEDYDATA:message}"},
	{"MONGO_QUERY", "\\{ .*? \\}(?= ntoreturn:)"},
	{"MONGO_SLOWQUERY",
	 "%{WORD:op} %{MONGO_WORDDASH:database}\\.%{MONGO_WORDDASH:collection} "
	 "%{WORD}: "
	 "%{MONGO_QUERY:query} ntoreturn:%{NONNEGINT:ntoreturn} "
	 "ntoskip:%{NONNEGINT:ntoskip} "
	 "nscanned:%{NONNEGINT:nscanned}.*? nreturned:%{NONNEGINT:nreturned}.*? "
	 "%{INT:duration}ms"},
	{"MONGO3_SEVERITY", "\\w"},
	{"MONGO3_COMPONENT", "(?:%{WORD}|-)"},
	{"MONGO3_LOG",
	 "%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} "
	 "%{MONGO3_COMPONENT:component}%{SPACE}(?:\\[%{DATA:context}\\])? "
	 "%{GREEDYDATA:message}"},

	{NULL, NULL},
};
