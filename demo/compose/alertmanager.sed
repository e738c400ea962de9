# alertmanager/alertmanager.yml for the demo in containers: mail, the phone and the dead man's switch end at demo/mail,
# without TLS or a password.
/^  smtp_auth_/d
s|^\( *smtp_smarthost:\) .*|\1 demo-mail:1025\
  smtp_require_tls: false|
s|http://127\.0\.0\.1:9467/phone/[a-z-]*|http://demo-mail:8025/phone|
s|https://deadman\.example\.com/vitrin|http://demo-mail:8025/dead-man|
s|templates/\*\.tmpl|/etc/alertmanager/templates/*.tmpl|
