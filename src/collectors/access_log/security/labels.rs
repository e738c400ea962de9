//! The closed sets of labels of the signals.

use super::super::classes::class;

class! {
    /// Where somebody wants to log in: the label `realm`.
    Realm {
        /// The shop's administration.
        Admin = "admin",
        /// A customer's account.
        Customer = "customer",
        /// What programs log in to.
        Api = "api",
        /// Basic authentication of HTTP, whoever asks for it.
        HttpBasic = "http_basic",
    }
}

class! {
    /// How an attempt to log in ended: the label `outcome` of `shop_auth_attempts_total`.
    Outcome {
        /// Let in.
        Success = "success",
        /// Turned away.
        Failure = "failure",
        /// A limit of the server's turned it away unseen.
        Throttled = "throttled",
        /// The log cannot tell.
        Unresolved = "unresolved",
    }
}

class! {
    /// What is wrong with a request: the label `type`. A request that is wrong in several ways is counted under the first.
    Violation {
        /// Code that is to be run: PHPUnit's `eval-stdin.php`, `auto_prepend_file`, `${jndi:`.
        RceProbe = "rce_probe",
        /// A known back door, or PHP where images and uploads are.
        Webshell = "webshell",
        /// What is never to be handed out: `.git`, `.env`, dumps, backups.
        SensitiveFile = "sensitive_file",
        /// A way out of the folder, or a file of the system.
        Traversal = "traversal",
        /// SQL in an argument.
        Sqli = "sqli",
        /// Script in an argument.
        Xss = "xss",
        /// A request for somebody else's page.
        OpenProxy = "open_proxy",
        /// Not HTTP.
        BadRequest = "bad_request",
        /// TRACE, TRACK, DEBUG, and what was answered 405.
        Method = "method",
        /// Larger than the server takes.
        Oversize = "oversize",
        /// An administration that is not this shop's, not found or forbidden.
        AdminProbe = "admin_probe",
        /// Pages of another system, not found or forbidden.
        ForeignCms = "foreign_cms",
        /// Any other page that is not found, forbidden or a bad request; files and API calls left out.
        NotFoundScan = "not_found_scan",
        /// A rule of nginx (`deny`) turned the client away; from the error log.
        ForbiddenRule = "forbidden_rule",
    }
}

class! {
    /// What the server did about a violation: the label `result`.
    Answer {
        /// Turned it away.
        Blocked = "blocked",
        /// Handed out what stands at the path that the violation is in.
        Served = "served",
        /// Answered something harmless: a page that ignores the argument, a redirect.
        Answered = "answered",
        /// Failed, or the client did not wait for the answer.
        Error = "error",
    }
}

class! {
    /// How a call of the API ended: the label `outcome` of `shop_http_api_requests_total`.
    Call {
        /// Answered.
        Ok = "ok",
        /// 401 and 403.
        Denied = "denied",
        /// Any other 4xx.
        Invalid = "invalid",
        /// A limit of the server's turned it away.
        Throttled = "throttled",
        /// 499: the client went away first.
        Aborted = "aborted",
        /// 5xx.
        Error = "error",
    }
}

class! {
    /// What was abusive about a call of the API: the label `reason`.
    Abuse {
        /// 401 and 403.
        AuthDenied = "auth_denied",
        /// A limit of the server's turned it away.
        Throttled = "throttled",
        /// 400, 404, 405, 415 and 422.
        InvalidCall = "invalid_call",
        /// 413.
        Oversize = "oversize",
        /// More than 40 at once, and two a second from then on, by one client.
        Burst = "burst",
        /// More than 60 things of one kind within a minute, by one client.
        Enumeration = "enumeration",
        /// From a network that `api_callers` does not name.
        UnknownCaller = "unknown_caller",
    }
}

class! {
    /// What a client did too often: the label `class`.
    Incident {
        /// As the violation.
        RceProbe = "rce_probe",
        /// As the violation.
        Webshell = "webshell",
        /// As the violation.
        SensitiveFile = "sensitive_file",
        /// As the violation.
        Traversal = "traversal",
        /// As the violation.
        Sqli = "sqli",
        /// As the violation.
        Xss = "xss",
        /// As the violation.
        OpenProxy = "open_proxy",
        /// As the violation.
        BadRequest = "bad_request",
        /// As the violation.
        Method = "method",
        /// As the violation.
        Oversize = "oversize",
        /// As the violation.
        AdminProbe = "admin_probe",
        /// As the violation.
        ForeignCms = "foreign_cms",
        /// Pages that are not there, whatever else they are: the violation, and all above that were not found.
        NotFoundScan = "not_found_scan",
        /// As the violation.
        ForbiddenRule = "forbidden_rule",
        /// Failed logins to the administration.
        BruteForceAdmin = "brute_force_admin",
        /// Failed logins of customers.
        BruteForceCustomer = "brute_force_customer",
        /// Failed logins of programs.
        BruteForceApi = "brute_force_api",
        /// Failed logins by HTTP.
        BruteForceHttpBasic = "brute_force_http_basic",
        /// As the abuse `burst`.
        ApiBurst = "api_burst",
        /// As the abuse `enumeration`.
        ApiEnumeration = "api_enumeration",
    }
}

class! {
    /// What shows that a login was good or bad.
    FollowUp {
        /// OpenCart 4: the dashboard, with the token of a session.
        OpencartAdmin = "opencart_admin",
        /// OpenCart 4: any page with the token of a customer's session.
        OpencartCustomer = "opencart_customer",
        /// Magento 2: the account, or the form again.
        MagentoCustomer = "magento_customer",
    }
}
