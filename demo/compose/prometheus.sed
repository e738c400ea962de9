# prometheus/prometheus.yml for the demo in containers: servers by their names, links to pages that the demo has.
s|127\.0\.0\.1:9090|demo-prometheus:9090|
s|127\.0\.0\.1:9093|demo-alertmanager:9093|
s|127\.0\.0\.1:22100|demo-vitrin:22100|
s|^\( *runbooks:\) .*|\1 http://127.0.0.1:8025/runbooks|
s|^\( *grafana:\) .*|\1 http://127.0.0.1:3000|
s|rules/\*\.yml|/etc/prometheus/rules/*.yml|
