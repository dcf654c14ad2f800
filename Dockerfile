# logtally in an image: the program, its libraries, the zones and the shipped patterns, nothing else.
#
#   docker build -t logtally .
#   docker run --read-only -v /srv/logs:/logs:ro -v state:/var/lib/logtally -p 127.0.0.1:8001:8001 logtally
#
# BASE is what it is built on and from; any Debian 12 will do.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
# The Makefile knows the packages: this layer is made anew when it changes, not when a source does.
COPY Makefile ./
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends make tzdata \
    && make deps-build && rm -rf /var/lib/apt/lists/*
COPY include include
COPY common common
COPY tailer tailer
COPY parsers parsers
COPY exporter exporter
COPY daemon daemon
RUN make -s -j"$(nproc)" logtally && strip logtally

# The image's root. What each file belongs to is noted where scanners look, with its licence.
COPY patterns /image/etc/logtally/patterns
RUN set -eu; umask 022; \
    mkdir -p /image/usr/bin /image/usr/share /image/tmp /image/logs /image/var/lib/logtally /image/var/lib/dpkg/status.d; \
    cp logtally /image/usr/bin/; \
    cp -a /usr/share/zoneinfo /image/usr/share/; \
    ldd logtally | grep -o '/[^ ]*' | sort -u | xargs cp -L --parents -t /image; \
    ldd logtally | grep -o '/[^ ]*' | xargs -n 1 basename | xargs -I{} dpkg -S '*/{}' | cut -d: -f1 | sort -u >/tmp/packages; \
    for package in $(cat /tmp/packages) tzdata; do \
        dpkg-query -s "$package" >"/image/var/lib/dpkg/status.d/$package"; \
        [ ! -e "/usr/share/doc/$package/copyright" ] || cp -L --parents "/usr/share/doc/$package/copyright" /image; \
    done; \
    printf 'root:x:0:0::/:/sbin/nologin\nlogtally:x:65532:65532::/:/sbin/nologin\n' >/image/etc/passwd; \
    printf 'root:x:0:\nlogtally:x:65532:\n' >/image/etc/group; \
    chmod 1777 /image/tmp; \
    chown 65532:65532 /image/var/lib/logtally; chmod 750 /image/var/lib/logtally; \
    chown 10001:65532 /image/logs; chmod 2750 /image/logs; \
    chmod -R u=rwX,go=rX /image/etc

FROM scratch
COPY --from=build /image /
USER 65532:65532
VOLUME /var/lib/logtally
EXPOSE 8001
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/usr/bin/logtally", "healthcheck"]
ENTRYPOINT ["/usr/bin/logtally"]
CMD ["run", "--logs", "/logs", "--patterns", "/etc/logtally/patterns", "--storage.path=/var/lib/logtally", \
     "--web.listen-address", "0.0.0.0:8001"]
