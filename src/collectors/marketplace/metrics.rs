//! What is said of marketplaces; `target` is the account.

crate::metrics! {
    Own as METRICS;

    // How long it takes, and how it ends.
    /// How long probes took, from looking up the name to the last byte, by whether they ended well; a timeout counts as the time until it. The time for an access token is not in it.
    DURATION = Histogram("marketplace_probe_duration_seconds", Seconds, ["marketplace", "probe", "outcome"]);
    /// How long each phase of a probe took: resolve, connect, tls, processing (the request is sent, until the first byte of the answer) and transfer. A phase that did not happen is not counted.
    PHASE_DURATION = Histogram("marketplace_probe_phase_duration_seconds", Seconds, ["marketplace", "probe", "phase"]);
    /// How long each phase of the last probe took, and `total`; of a phase that did not happen nothing is said.
    LAST_DURATION = Gauge("marketplace_probe_last_duration_seconds", Seconds, ["marketplace", "probe", "phase"]);
    /// What was promised of the phase processing, in seconds: `latency_objective` of the account.
    OBJECTIVE = Gauge("marketplace_latency_objective_seconds", Seconds, ["marketplace"]);
    /// Probes that ended well and whose phase processing took no longer than `marketplace_latency_objective_seconds`.
    WITHIN_OBJECTIVE = Counter("marketplace_probe_within_objective_total", None, ["marketplace", "probe"]);
    /// Probes, by how they ended; each has all results from the start.
    RESULTS = Counter("marketplace_probe_results_total", None, ["marketplace", "probe", "result"]);
    /// Answers to probes, by status; what is rare is `other`.
    RESPONSES = Counter("marketplace_probe_http_responses_total", None, ["marketplace", "probe", "code"]);
    /// Errors that answers named, by the names that the preset lists; all else is `other`.
    APP_ERRORS = Counter("marketplace_probe_app_errors_total", None, ["marketplace", "probe", "error_code"]);
    /// Whether the last probe ended well, 1 or 0.
    SUCCESS = Gauge("marketplace_probe_success", None, ["marketplace", "probe"]);
    /// When the last probe ended, in seconds since 1970.
    LAST_RUN = Gauge("marketplace_probe_last_run_timestamp_seconds", Seconds, ["marketplace", "probe"]);
    /// When the last probe ended that ended well, in seconds since 1970.
    LAST_SUCCESS = Gauge("marketplace_probe_last_success_timestamp_seconds", Seconds, ["marketplace", "probe"]);
    /// How large the body of the last answer was.
    RESPONSE_SIZE = Gauge("marketplace_probe_response_size_bytes", Bytes, ["marketplace", "probe"]);
    /// When the first certificate expires of those that the marketplace showed, in seconds since 1970.
    CERTIFICATE_EXPIRY = Gauge("marketplace_probe_tls_certificate_expiry_timestamp_seconds", Seconds, ["marketplace", "probe"]);
    /// By how much the marketplace's clock, as its answer says (`Date`), is ahead of this machine's; whole seconds.
    CLOCK_SKEW = Gauge("marketplace_probe_clock_skew_seconds", Seconds, ["marketplace", "probe"]);

    // How often it is asked.
    /// Probes that were due and not made: the marketplace said when to come back (retry_after), credentials were refused (auth_paused), a wall is in the way (blocked), the last one was still under way (overlap), or there is no access token (no_token).
    SKIPPED = Counter("marketplace_probe_skipped_total", None, ["marketplace", "probe", "reason"]);
    /// How often it is probed now, with what the limits and the last failures make of it.
    INTERVAL = Gauge("marketplace_probe_interval_seconds", Seconds, ["marketplace", "probe"]);
    /// 1 when the configuration asks for it more often than the preset or the marketplace's limit allows, 0 when not.
    CLAMPED = Gauge("marketplace_probe_interval_clamped", None, ["marketplace", "probe"]);
    /// The part of the documented limit that the probe uses; absent where none is documented.
    BUDGET = Gauge("marketplace_probe_budget_ratio", Ratio, ["marketplace", "probe"]);
    /// 1 for the state that the probe is in: closed (it goes well), open (it failed five times in a row and is made less often), half_open (it went well once since).
    CIRCUIT = Gauge("marketplace_probe_circuit_state", None, ["marketplace", "probe", "state"]);

    // Who we are there.
    /// 1 for how the account's credentials fare: ok, rejected, expired, forbidden, blocked, or unknown.
    AUTH_STATE = Gauge("marketplace_auth_state", None, ["marketplace", "state"]);
    /// When the access token expires that is in use, in seconds since 1970.
    TOKEN_EXPIRY = Gauge("marketplace_auth_token_expiry_timestamp_seconds", Seconds, ["marketplace"]);
    /// When a credential expires (api_key, client_secret, refresh_token), as the marketplace says or the configuration; in seconds since 1970.
    CREDENTIAL_EXPIRY = Gauge("marketplace_auth_credential_expiry_timestamp_seconds", Seconds, ["marketplace", "credential"]);
    /// Access tokens that were asked for, by how that ended: ok, rejected, rate_limited, or error.
    TOKEN_REFRESHES = Counter("marketplace_auth_token_refreshes_total", None, ["marketplace", "result"]);
    /// How long it took to get an access token.
    TOKEN_DURATION = Histogram("marketplace_auth_token_refresh_duration_seconds", Seconds, ["marketplace"]);

    // What it lets us do.
    /// Requests that a window allows, by where that is said: header, api, or documented.
    LIMIT = Gauge("marketplace_rate_limit_requests", None, ["marketplace", "bucket", "source"]);
    /// Requests that are left in the window, as the marketplace last said.
    REMAINING = Gauge("marketplace_rate_limit_remaining_requests", None, ["marketplace", "bucket", "source"]);
    /// When the window ends, in seconds since 1970.
    RESET = Gauge("marketplace_rate_limit_reset_timestamp_seconds", Seconds, ["marketplace", "bucket"]);
    /// How long the window is.
    WINDOW = Gauge("marketplace_rate_limit_window_seconds", Seconds, ["marketplace", "bucket"]);
    /// Requests a second by which the limit fills up again.
    REFILL = Gauge("marketplace_rate_limit_refill_requests_per_second", None, ["marketplace", "bucket"]);
    /// Answers that said there were too many requests.
    THROTTLED = Counter("marketplace_rate_limit_throttled_total", None, ["marketplace", "bucket"]);
    /// When the marketplace last said something of this limit, in seconds since 1970.
    OBSERVED = Gauge("marketplace_rate_limit_observed_timestamp_seconds", Seconds, ["marketplace", "bucket"]);

    // What it says of the business.
    /// Orders that are open.
    ORDERS_OPEN = Gauge("marketplace_orders_open", None, ["marketplace"]);
    /// When the newest order was last changed, in seconds since 1970.
    ORDER_NEWEST = Gauge("marketplace_order_newest_timestamp_seconds", Seconds, ["marketplace"]);
    /// Listings, by their status.
    LISTINGS = Gauge("marketplace_listings", None, ["marketplace", "status"]);
    /// Listings that have errors.
    LISTINGS_WITH_ERRORS = Gauge("marketplace_listings_with_errors", None, ["marketplace"]);
    /// Whether the marketplace has suspended listings of the account, by country; 1 or 0.
    SUSPENDED_LISTINGS = Gauge("marketplace_account_suspended_listings", None, ["marketplace", "site"]);
    /// How many of something the account may have or do, such as listings a month.
    QUOTA_LIMIT = Gauge("marketplace_quota_limit", None, ["marketplace", "quota"]);
    /// How many of them it has or has done.
    QUOTA_USED = Gauge("marketplace_quota_used", None, ["marketplace", "quota"]);
    /// How the marketplace rates the seller, on its own scale.
    SELLER_RATING = Gauge("marketplace_seller_rating", None, ["marketplace", "rating"]);
    /// Any other number that a preset takes from an answer, by the name that it gives.
    VALUE = Gauge("marketplace_value", None, ["marketplace", "name"]);
}

/// Upper bounds of the time of a whole probe, in seconds; the objective of 100 ms exactly.
pub(super) const TOTAL_BOUNDS: [f64; 16] =
    [0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0];

/// Upper bounds of the time of a phase, in seconds; the objective of 100 ms exactly.
pub(super) const PHASE_BOUNDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0];
