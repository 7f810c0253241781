# Two images: `nginx`, with the page in it, and (the last) that of berth's services and its command line.
# docker-compose.yml runs each service with another command.
#
# The build needs no BuildKit, so it works with every Docker and Podman there is.

FROM node:22-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM nginx:1.28-bookworm AS nginx
COPY --from=web /src/web/dist /usr/share/berth/web

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# One step, so that no layer keeps the two gigabytes of what was compiled on the way.
RUN cargo build --locked --release -p upload-svc -p serve-svc -p janitor -p berth-cli \
 && mkdir -p /out \
 && cp target/release/upload-svc target/release/serve-svc target/release/janitor target/release/berth /out/ \
 && rm -rf target "$CARGO_HOME/registry"

FROM debian:bookworm-slim
# The folders that volumes are put on: a new volume takes over their owner. nginx reads blobs and reaches sockets as a
# member of this group.
RUN groupadd --gid 10001 berth \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/berth --shell /usr/sbin/nologin berth \
 && install -d -o berth -g berth -m 0750 /var/lib/berth /var/lib/berth/blobs /var/lib/berth/journal /run/berth
COPY --from=build /out/ /usr/local/bin/
ENV BERTH_DATA=/var/lib/berth
WORKDIR /var/lib/berth
USER 10001:10001
CMD ["berth", "--help"]
