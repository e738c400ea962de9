//! The tables of shops, as their systems make them, with the columns that hold people: none of those may be read.
//!
//! From: upload/system/helper/db_schema.php of opencart/opencart (columns of `order` shortened to some of each kind) and
//! install SQL of 3.0, whose tables are MyISAM; OrdersTableDataStore::get_database_schema() of woocommerce/woocommerce;
//! ActionScheduler_StoreSchema of woocommerce/action-scheduler; wp_get_db_schema() of WordPress; Magento_Sales,
//! Magento_Cron and Magento_MysqlMq db_schema.xml of magento/magento2; the CREATE TABLE statements of
//! MesTechSync/meschain-sync-enterprise. No shop was installed.

/// What `order` of `OpenCart` is, without its engine.
pub(super) const OPENCART_ORDER: &str = "(order_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, invoice_no INT NOT NULL DEFAULT 0, \
    store_id INT NOT NULL DEFAULT 0, store_name VARCHAR(64) NOT NULL DEFAULT '', customer_id INT NOT NULL DEFAULT 0, \
    firstname VARCHAR(32) NOT NULL DEFAULT 'Ada', lastname VARCHAR(32) NOT NULL DEFAULT '', \
    email VARCHAR(96) NOT NULL DEFAULT 'ada@example.org', telephone VARCHAR(32) NOT NULL DEFAULT '', \
    payment_address_1 VARCHAR(128) NOT NULL DEFAULT '', payment_method VARCHAR(128) NOT NULL DEFAULT '', \
    comment VARCHAR(200) NOT NULL DEFAULT '', total DECIMAL(15,4) NOT NULL DEFAULT 0, \
    order_status_id INT NOT NULL DEFAULT 0, currency_id INT NOT NULL DEFAULT 1, currency_code VARCHAR(3) NOT NULL, \
    currency_value DECIMAL(15,8) NOT NULL DEFAULT 1, ip VARCHAR(40) NOT NULL DEFAULT '', date_added DATETIME NOT NULL, \
    date_modified DATETIME NOT NULL DEFAULT '2026-01-01')";

/// The cron of `OpenCart` 4, one job of which never ran.
pub(super) const OPENCART_CRON: &[&str] = &[
    "CREATE TABLE shop.oc_cron (cron_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(128) NOT NULL, \
     description TEXT, cycle VARCHAR(12) NOT NULL, action TEXT, status TINYINT(1) NOT NULL, date_added DATETIME NOT NULL, \
     date_modified DATETIME NOT NULL)",
    "INSERT INTO shop.oc_cron (code, cycle, status, date_added, date_modified) VALUES \
     ('currency', 'day', 1, '2014-09-25 14:40:00', NOW() - INTERVAL 3 HOUR), \
     ('gdpr', 'day', 1, '2014-09-25 14:40:00', '2014-09-25 14:40:00'), \
     ('subscription', 'hour', 0, '2014-09-25 14:40:00', NOW())",
];

/// What holds secrets and people beside the orders.
pub(super) const OPENCART_REST: &[&str] = &[
    "CREATE TABLE shop.oc_setting (setting_id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(128), `key` VARCHAR(128), \
     value TEXT)",
    "CREATE TABLE shop.oc_customer (customer_id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(96), password VARCHAR(255))",
];

/// Marketplace extensions of several generations at once.
pub(super) const MARKETPLACES: &[&str] = &[
    "CREATE TABLE shop.oc_trendyol_orders (order_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_number VARCHAR(100), \
     opencart_order_id INT DEFAULT NULL, gross_amount DECIMAL(15,4) DEFAULT 0, customer_name VARCHAR(255), \
     customer_email VARCHAR(255), order_date DATETIME, status VARCHAR(50), order_data TEXT, created_at DATETIME NOT NULL)",
    "INSERT INTO shop.oc_trendyol_orders (opencart_order_id, order_date, created_at) VALUES \
     (1, NOW() - INTERVAL 90 MINUTE, NOW() - INTERVAL 80 MINUTE), (NULL, NOW() - INTERVAL 3 HOUR, NOW() - INTERVAL 2 HOUR), \
     (2, NOW() - INTERVAL 7 DAY - INTERVAL 1 HOUR, NOW() - INTERVAL 7 DAY - INTERVAL 1 HOUR)",
    "CREATE TABLE shop.oc_trendyol_products (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, opencart_product_id INT, \
     status ENUM('pending','active','rejected','inactive') DEFAULT 'pending', rejection_reason TEXT, last_sync DATETIME)",
    "INSERT INTO shop.oc_trendyol_products (status, last_sync) VALUES ('active', NOW() - INTERVAL 5 MINUTE), \
     ('active', NOW() - INTERVAL 1 HOUR), ('rejected', NULL)",
    "CREATE TABLE shop.oc_trendyol_webhook_logs (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, payload TEXT, \
     processed TINYINT(1) DEFAULT 0, received_at DATETIME NOT NULL)",
    "INSERT INTO shop.oc_trendyol_webhook_logs (processed, received_at) VALUES (1, NOW() - INTERVAL 1 DAY), \
     (0, NOW() - INTERVAL 20 MINUTE)",
    "CREATE TABLE shop.oc_meschain_n11_orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id INT NOT NULL, \
     n11_order_id VARCHAR(255), sync_status ENUM('pending','synced','error'), created_at DATETIME)",
    "INSERT INTO shop.oc_meschain_n11_orders (order_id, sync_status, created_at) VALUES (5, 'synced', NOW() - INTERVAL 4 HOUR)",
    "CREATE TABLE shop.meschain_marketplace_orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id INT DEFAULT NULL, \
     marketplace VARCHAR(50) NOT NULL, marketplace_order_id VARCHAR(255) NOT NULL DEFAULT '', \
     customer_name VARCHAR(255) NOT NULL DEFAULT '', customer_email VARCHAR(255) DEFAULT NULL, \
     total_amount DECIMAL(15,4) NOT NULL DEFAULT 0, order_date TIMESTAMP NULL, sync_status VARCHAR(20), \
     created_at TIMESTAMP NULL)",
    "INSERT INTO shop.meschain_marketplace_orders (marketplace, order_id, order_date, created_at) VALUES \
     ('hepsiburada', NULL, NOW() - INTERVAL 1 HOUR, NOW() - INTERVAL 50 MINUTE), \
     ('hepsiburada', 3, NOW() - INTERVAL 2 DAY, NOW() - INTERVAL 2 DAY)",
    "CREATE TABLE shop.meschain_marketplace_credentials (id INT PRIMARY KEY AUTO_INCREMENT, marketplace VARCHAR(50), \
     api_secret TEXT)",
    "CREATE TABLE shop.meschain_sync_queue (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, marketplace VARCHAR(50) NOT NULL, \
     sync_type VARCHAR(20), entity_id VARCHAR(255), status ENUM('pending','processing','completed','failed','cancelled') \
     NOT NULL DEFAULT 'pending', payload TEXT, scheduled_at TIMESTAMP NULL, created_at TIMESTAMP NULL)",
    "INSERT INTO shop.meschain_sync_queue (marketplace, status, scheduled_at, created_at) VALUES \
     ('ozon', 'pending', NULL, NOW() - INTERVAL 40 MINUTE), ('ozon', 'pending', NOW() + INTERVAL 1 DAY, NOW() - INTERVAL 9 DAY), \
     ('ozon', 'completed', NULL, NOW() - INTERVAL 2 DAY), ('ozon', 'failed', NULL, NOW() - INTERVAL 1 HOUR)",
    "CREATE TABLE shop.oc_meschain_product_sync (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, product_id INT, \
     marketplace VARCHAR(50), sync_status VARCHAR(20), error_message TEXT, last_sync DATETIME, retry_count INT DEFAULT 0)",
    "INSERT INTO shop.oc_meschain_product_sync (marketplace, sync_status, last_sync) VALUES ('ozon', 'success', NOW()), \
     ('ozon', 'lost at sea', NOW() - INTERVAL 1 DAY)",
];

/// `WooCommerce` with its own tables.
pub(super) const WOOCOMMERCE: &[&str] = &[
    "CREATE TABLE shop.wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, status VARCHAR(20), currency VARCHAR(10), \
     type VARCHAR(20), tax_amount DECIMAL(26,8), total_amount DECIMAL(26,8), customer_id BIGINT, billing_email VARCHAR(320), \
     date_created_gmt DATETIME, date_updated_gmt DATETIME, parent_order_id BIGINT, payment_method VARCHAR(100), \
     ip_address VARCHAR(100), user_agent TEXT, customer_note TEXT, KEY status (status), \
     KEY date_created (date_created_gmt), KEY type_status (type, status))",
    "CREATE TABLE shop.wp_wc_order_addresses (id BIGINT PRIMARY KEY, order_id BIGINT, first_name TEXT, email VARCHAR(320))",
    "CREATE TABLE shop.wp_wc_order_operational_data (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, \
     order_id BIGINT UNSIGNED, created_via VARCHAR(100), order_key VARCHAR(100), UNIQUE KEY order_id (order_id))",
    "INSERT INTO shop.wp_wc_orders (id, status, currency, type, total_amount, date_created_gmt) VALUES \
     (1, 'wc-completed', 'TRY', 'shop_order', 100, UTC_TIMESTAMP() - INTERVAL 21 DAY - INTERVAL 30 MINUTE), \
     (2, 'wc-processing', 'TRY', 'shop_order', 250.5, UTC_TIMESTAMP() - INTERVAL 30 MINUTE), \
     (3, 'wc-failed', 'TRY', 'shop_order', 10, UTC_TIMESTAMP() - INTERVAL 10 MINUTE), \
     (4, 'wc-refunded', 'EUR', 'shop_order', 7, UTC_TIMESTAMP() - INTERVAL 5 HOUR), \
     (5, 'wc-completed', 'TRY', 'shop_order_refund', -7, UTC_TIMESTAMP() - INTERVAL 1 MINUTE)",
    "INSERT INTO shop.wp_wc_order_operational_data (order_id, created_via) VALUES (1, 'checkout'), (2, 'checkout'), \
     (4, 'trendyol-plugin')",
    "CREATE TABLE shop.wp_actionscheduler_actions (action_id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, hook VARCHAR(191), \
     status VARCHAR(20), scheduled_date_gmt DATETIME NULL, args VARCHAR(191), last_attempt_gmt DATETIME NULL, \
     KEY status (status), KEY scheduled_date_gmt (scheduled_date_gmt), KEY last_attempt_gmt (last_attempt_gmt))",
    "INSERT INTO shop.wp_actionscheduler_actions (hook, status, scheduled_date_gmt, last_attempt_gmt) VALUES \
     ('a', 'pending', UTC_TIMESTAMP() - INTERVAL 2 HOUR, NULL), ('b', 'pending', UTC_TIMESTAMP() + INTERVAL 2 HOUR, NULL), \
     ('c', 'complete', UTC_TIMESTAMP() - INTERVAL 3 HOUR, UTC_TIMESTAMP() - INTERVAL 3 HOUR), \
     ('d', 'failed', UTC_TIMESTAMP() - INTERVAL 3 HOUR, UTC_TIMESTAMP() - INTERVAL 3 HOUR)",
    "CREATE TABLE shop.wp_posts (ID BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, post_author BIGINT, post_date DATETIME, \
     post_date_gmt DATETIME, post_content LONGTEXT, post_title TEXT, post_excerpt TEXT, post_status VARCHAR(20), \
     post_password VARCHAR(255), post_type VARCHAR(20), KEY type_status_date (post_type, post_status, post_date, ID))",
    "INSERT INTO shop.wp_posts (post_type, post_status, post_date_gmt) VALUES \
     ('shop_order', 'wc-processing', UTC_TIMESTAMP() - INTERVAL 90 MINUTE), ('post', 'publish', UTC_TIMESTAMP()), \
     ('shop_order', 'wc-pending', UTC_TIMESTAMP() - INTERVAL 5 MINUTE)",
];

/// Magento 2.
pub(super) const MAGENTO: &[&str] = &[
    "CREATE TABLE shop.sales_order (entity_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, state VARCHAR(32), status VARCHAR(32), \
     store_id SMALLINT UNSIGNED, customer_id INT, base_grand_total DECIMAL(20,4), base_currency_code VARCHAR(3), \
     email_sent SMALLINT UNSIGNED, send_email SMALLINT UNSIGNED, customer_email VARCHAR(128), customer_firstname VARCHAR(128), \
     remote_ip VARCHAR(45), created_at TIMESTAMP NULL, KEY created_at (created_at), KEY send_email (send_email))",
    "INSERT INTO shop.sales_order (state, store_id, base_grand_total, base_currency_code, send_email, email_sent, created_at) \
     VALUES ('processing', 1, 80, 'EUR', 1, NULL, NOW() - INTERVAL 45 MINUTE), \
     ('complete', 1, 20, 'EUR', 1, 1, NOW() - INTERVAL 5 HOUR), \
     ('canceled', 2, 5, 'EUR', 1, 1, NOW() - INTERVAL 5 MINUTE), \
     ('pending_payment', 1, 9, 'EUR', NULL, NULL, NOW() - INTERVAL 2 MINUTE)",
    "CREATE TABLE shop.cron_schedule (schedule_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, job_code VARCHAR(255), \
     status VARCHAR(7), messages TEXT, created_at TIMESTAMP NULL, scheduled_at TIMESTAMP NULL, executed_at TIMESTAMP NULL, \
     finished_at TIMESTAMP NULL, KEY at_status (scheduled_at, status))",
    "INSERT INTO shop.cron_schedule (job_code, status, scheduled_at, finished_at) VALUES \
     ('a', 'success', NOW() - INTERVAL 10 MINUTE, NOW() - INTERVAL 9 MINUTE), \
     ('b', 'pending', NOW() - INTERVAL 7 MINUTE, NULL), ('b', 'pending', NOW() + INTERVAL 7 MINUTE, NULL), \
     ('c', 'error', NOW() - INTERVAL 1 HOUR, NULL), ('d', 'missed', NOW() - INTERVAL 3 DAY, NULL)",
    "CREATE TABLE shop.queue (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255))",
    "CREATE TABLE shop.queue_message (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, topic_name VARCHAR(255), body LONGTEXT)",
    "CREATE TABLE shop.queue_message_status (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, queue_id INT UNSIGNED, \
     message_id BIGINT UNSIGNED, updated_at TIMESTAMP NULL, status SMALLINT UNSIGNED, number_of_trials SMALLINT UNSIGNED)",
    "INSERT INTO shop.queue (name) VALUES ('async.operations.all'), ('export')",
    "INSERT INTO shop.queue_message_status (queue_id, status, updated_at) VALUES (1, 2, NOW() - INTERVAL 25 MINUTE), \
     (1, 5, NOW() - INTERVAL 5 MINUTE), (1, 4, NOW() - INTERVAL 3 DAY), (2, 6, NOW() - INTERVAL 2 HOUR)",
];
