-- Who may ask the demo's database, in a network that nobody else is in: the shop, and vitrin (docs/backends.md).
CREATE USER shop@'%' IDENTIFIED BY 'demo';
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO shop@'%';
CREATE USER vitrin@'%' IDENTIFIED BY 'demo' WITH MAX_USER_CONNECTIONS 4;
GRANT PROCESS, SLAVE MONITOR, SHOW VIEW ON *.* TO vitrin@'%';
GRANT SELECT ON performance_schema.* TO vitrin@'%';
GRANT SELECT (status) ON shop.orders TO vitrin@'%';
