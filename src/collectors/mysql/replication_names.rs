//! The names of the replication status: one family a column, under the words of MySQL 5.7 whatever words the server uses,
//! so that rules and dashboards outlive the change to source and replica.

crate::metrics! {
    DropIn as METRICS;
    /// Seconds between two tries to reach the primary, `Connect_Retry` of the replica status.
    CONNECT_RETRY = Gauge(
        "mysql_slave_status_connect_retry", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Position in the primary's binary log that the I/O thread has read to, `Read_Master_Log_Pos`.
    READ_MASTER_LOG_POS = Gauge(
        "mysql_slave_status_read_master_log_pos", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Position in the relay log that the SQL thread has executed to, `Relay_Log_Pos`.
    RELAY_LOG_POS = Gauge(
        "mysql_slave_status_relay_log_pos", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Position in the primary's binary log that the SQL thread has executed to, `Exec_Master_Log_Pos`.
    EXEC_MASTER_LOG_POS = Gauge(
        "mysql_slave_status_exec_master_log_pos", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Bytes that all relay logs take on disk, `Relay_Log_Space` of the replica status.
    RELAY_LOG_SPACE = Gauge(
        "mysql_slave_status_relay_log_space", Bytes, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when the thread that reads the primary's log runs and is connected, `Slave_IO_Running`.
    SLAVE_IO_RUNNING = Gauge(
        "mysql_slave_status_slave_io_running", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when the thread that executes what was read runs, `Slave_SQL_Running`.
    SLAVE_SQL_RUNNING = Gauge(
        "mysql_slave_status_slave_sql_running", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Number of the error that stopped the SQL thread last, 0 for none, `Last_Errno`.
    LAST_ERRNO = Gauge(
        "mysql_slave_status_last_errno", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Number of the error that stopped the I/O thread last, 0 for none, `Last_IO_Errno`.
    LAST_IO_ERRNO = Gauge(
        "mysql_slave_status_last_io_errno", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Number of the error that stopped the SQL thread last, 0 for none, `Last_SQL_Errno`.
    LAST_SQL_ERRNO = Gauge(
        "mysql_slave_status_last_sql_errno", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Time of the I/O thread's last error, `Last_IO_Error_Timestamp` of MySQL.
    LAST_IO_ERROR_TIMESTAMP = Gauge(
        "mysql_slave_status_last_io_error_timestamp", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Time of the SQL thread's last error, `Last_SQL_Error_Timestamp` of MySQL.
    LAST_SQL_ERROR_TIMESTAMP = Gauge(
        "mysql_slave_status_last_sql_error_timestamp", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Events that `sql_slave_skip_counter` will make the SQL thread skip, `Skip_Counter`.
    SKIP_COUNTER = Gauge(
        "mysql_slave_status_skip_counter", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Position that replication was told to stop at, 0 for none, `Until_Log_Pos`.
    UNTIL_LOG_POS = Gauge(
        "mysql_slave_status_until_log_pos", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// How far the SQL thread is behind the I/O thread by the events' times; absent when it cannot be told, `Seconds_Behind_Master`.
    SECONDS_BEHIND_MASTER = Gauge(
        "mysql_slave_status_seconds_behind_master", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Seconds that this replica stays behind its primary on purpose, `SQL_Delay`.
    SQL_DELAY = Gauge(
        "mysql_slave_status_sql_delay", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Seconds that the SQL thread still waits for the delay to pass, `SQL_Remaining_Delay`.
    SQL_REMAINING_DELAY = Gauge(
        "mysql_slave_status_sql_remaining_delay", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Port of the primary, `Master_Port` of the replica status.
    MASTER_PORT = Gauge(
        "mysql_slave_status_master_port", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// `server_id` of the primary, `Master_Server_Id` of the replica status.
    MASTER_SERVER_ID = Gauge(
        "mysql_slave_status_master_server_id", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Tries to reach the primary before the replica gives up, `Master_Retry_Count` of MySQL.
    MASTER_RETRY_COUNT = Gauge(
        "mysql_slave_status_master_retry_count", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when the connection to the primary may be encrypted, `Master_SSL_Allowed`.
    MASTER_SSL_ALLOWED = Gauge(
        "mysql_slave_status_master_ssl_allowed", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when the primary's certificate is checked, `Master_SSL_Verify_Server_Cert`.
    MASTER_SSL_VERIFY_SERVER_CERT = Gauge(
        "mysql_slave_status_master_ssl_verify_server_cert", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when the primary's RSA key is fetched from itself for the login, `Get_Source_public_key` of MySQL.
    GET_MASTER_PUBLIC_KEY = Gauge(
        "mysql_slave_status_get_master_public_key", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 1 when MySQL finds its place in the primary's log by GTID, `Auto_Position`.
    AUTO_POSITION = Gauge(
        "mysql_slave_status_auto_position", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// 0 when MariaDB replicates by file and position; absent when by GTID, `Using_Gtid`.
    USING_GTID = Gauge(
        "mysql_slave_status_using_gtid", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Transactions that the SQL thread tried again after a deadlock or lock wait, `Retried_transactions` of MariaDB.
    RETRIED_TRANSACTIONS = Counter(
        "mysql_slave_status_retried_transactions", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Bytes after which a relay log is followed by the next, `Max_relay_log_size` of MariaDB.
    MAX_RELAY_LOG_SIZE = Gauge(
        "mysql_slave_status_max_relay_log_size", Bytes, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Events that the SQL thread has executed, `Executed_log_entries` of MariaDB.
    EXECUTED_LOG_ENTRIES = Counter(
        "mysql_slave_status_executed_log_entries", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Heartbeats received from the primary, `Slave_received_heartbeats` of MariaDB.
    SLAVE_RECEIVED_HEARTBEATS = Counter(
        "mysql_slave_status_slave_received_heartbeats", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Seconds of silence after which the primary sends a heartbeat, `Slave_heartbeat_period` of MariaDB.
    SLAVE_HEARTBEAT_PERIOD = Gauge(
        "mysql_slave_status_slave_heartbeat_period", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Event groups with DDL that the SQL thread has executed, `Slave_DDL_Groups` of MariaDB.
    SLAVE_DDL_GROUPS = Counter(
        "mysql_slave_status_slave_ddl_groups", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Event groups without transaction that the SQL thread has executed, `Slave_Non_Transactional_Groups` of MariaDB.
    SLAVE_NON_TRANSACTIONAL_GROUPS = Counter(
        "mysql_slave_status_slave_non_transactional_groups", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Transactions that the SQL thread has executed, `Slave_Transactional_Groups` of MariaDB.
    SLAVE_TRANSACTIONAL_GROUPS = Counter(
        "mysql_slave_status_slave_transactional_groups", None, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Time of the last event read from the primary, by the primary's clock, `Master_last_event_time` of MariaDB.
    MASTER_LAST_EVENT_TIME = Gauge(
        "mysql_slave_status_master_last_event_time", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Time of the last event executed, by the primary's clock, `Slave_last_event_time` of MariaDB.
    SLAVE_LAST_EVENT_TIME = Gauge(
        "mysql_slave_status_slave_last_event_time", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Seconds between the last event read and the last executed, `Master_Slave_time_diff` of MariaDB.
    MASTER_SLAVE_TIME_DIFF = Gauge(
        "mysql_slave_status_master_slave_time_diff", Seconds, ["master_host", "master_uuid", "channel_name", "connection_name"]
    );
    /// Last transaction executed of each replication domain, the third part of `Gtid_Slave_Pos` of MariaDB.
    GTID_SLAVE_POS = Gauge(
        "mysql_slave_status_gtid_slave_pos", None,
        ["master_host", "master_uuid", "channel_name", "connection_name", "domain_id", "server_id"]
    );
}
