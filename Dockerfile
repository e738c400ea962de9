# Vitrin as an image, for x86-64 and arm64; needs BuildKit (Docker 23 and later has it on). docs/docker.md has the rest.
#
#   docker build --tag vitrin:0.1.0 .
#   docker buildx build --platform linux/amd64,linux/arm64 --tag vitrin:0.1.0 .
#
# The compiler always runs on the machine that builds. For another architecture it gets Debian's cross compiler: an
# emulated one would take an hour.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS compiler
WORKDIR /src

FROM compiler AS compiler-amd64
ENV CARGO_BUILD_TARGET=x86_64-unknown-linux-gnu GNU=x86_64-linux-gnu
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc
ENV PACKAGES="gcc-x86-64-linux-gnu libc6-dev-amd64-cross"

FROM compiler AS compiler-arm64
ENV CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu GNU=aarch64-linux-gnu
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
ENV PACKAGES="gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

FROM compiler-$TARGETARCH AS build
ARG BUILDARCH
ARG TARGETARCH
RUN test "$BUILDARCH" = "$TARGETARCH" && PACKAGES=; \
    apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates $PACKAGES \
 && rm -rf /var/lib/apt/lists/* \
 && if [ "$BUILDARCH" != "$TARGETARCH" ]; then rustup target add "$CARGO_BUILD_TARGET"; fi

# What the program is made of, and nothing that only its tests read: a change of those builds nothing anew.
COPY Cargo.toml Cargo.lock build.rs ./
COPY docs/topics.tsv docs/
COPY packaging/vitrin-opcache.php packaging/
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release --bin vitrin \
 && install -D --target-directory=/image/usr/bin "target/$CARGO_BUILD_TARGET/release/vitrin"

# The loader that the program asks for stands where it asks for it; the libraries that it names, in a folder where the
# loader looks. With them come the authorities that TLS trusts, a name for the user, and a folder for the state.
RUN loader=$(readelf --program-headers /image/usr/bin/vitrin | sed -n 's/.*interpreter: \(.*\)]/\1/p') \
 && libraries=$(readelf --dynamic /image/usr/bin/vitrin | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') \
 && install -D "$("$GNU-gcc" -print-file-name="${loader##*/}")" "/image$loader" \
 && for library in $libraries; do \
      [ "$library" = "${loader##*/}" ] \
      || install -D --mode=644 --target-directory=/image/usr/lib "$("$GNU-gcc" -print-file-name="$library")" \
      || exit 1; \
    done \
 && install -D --mode=644 --target-directory=/image/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt \
 && echo 'vitrin:x:65532:65532::/var/lib/vitrin:/nonexistent' >/image/etc/passwd \
 && echo 'vitrin:x:65532:' >/image/etc/group \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && install --directory --mode=1777 /image/var/lib/vitrin

# No shell, no package manager: the program, the four libraries it is linked with, and what is named above.
FROM scratch
LABEL org.opencontainers.image.title="Vitrin" \
      org.opencontainers.image.description="One exporter for a web shop's whole stack" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /image /
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/vitrin/
# For an FPM in containers, which is to run the very script that is checked here.
COPY --chmod=644 packaging/vitrin-opcache.php /usr/share/vitrin/opcache.php
# As the unit of systemd has it.
ENV MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 22100
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["/usr/bin/vitrin", "health"]
ENTRYPOINT ["/usr/bin/vitrin"]
# On all addresses of the container: which of the machine's lead there is for `--publish` to say.
CMD ["--web.listen-address=:22100"]
