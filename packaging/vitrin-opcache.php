<?php
/*
 * What OPcache is doing, as a few hundred bytes of JSON however many scripts it holds; or, where Vitrin asks for it, the
 * settings that matter for security.
 *
 * Vitrin runs this through PHP-FPM's own socket (FastCGI), never through a web server. It changes nothing and shows no
 * script, path or value of the shop. Install it owned by root and writable by nobody else:
 *
 *     install -D -o root -g root -m 0644 vitrin-opcache.php /usr/share/vitrin/opcache.php
 *
 * Works with PHP 7.0 and later.
 */

// Only Vitrin sends this parameter: a browser's headers all arrive as HTTP_*, and every web server adds the client's
// address. So the script says nothing when a web server is made to run it.
if (($_SERVER['VITRIN_OPCACHE'] ?? '') !== '1' || isset($_SERVER['REMOTE_ADDR']) || isset($_SERVER['HTTP_HOST'])) {
    http_response_code(404);
    exit;
}

// What an `auto_prepend_file` has printed is not for us.
while (ob_get_level() > 0 && @ob_end_clean());
header('Content-Type: application/json');
// Nor is its handler of errors to be told of ours.
set_error_handler(null);

// How PHP is contained, as the shop's scripts have it: what php.ini says is not what a pool says.
if (($_SERVER['VITRIN_SECURITY'] ?? '') === '1') {
    $answer = ['vitrin' => 1, 'php' => PHP_VERSION, 'settings' => [], 'locked' => [], 'functions' => []];
    $all = ini_get_all();
    foreach ([
        'allow_url_fopen', 'allow_url_include', 'cgi.fix_pathinfo', 'display_errors', 'display_startup_errors',
        'expose_php', 'post_max_size', 'upload_max_filesize',
    ] as $name) {
        $value = ini_get($name);
        if (is_string($value)) {
            $answer['settings'][$name] = substr($value, 0, 32);
        }
        // Neither a folder's .user.ini nor a script changes it.
        if (isset($all[$name]['access']) && ($all[$name]['access'] & (INI_PERDIR | INI_USER)) === 0) {
            $answer['locked'][] = $name;
        }
    }
    // Of the folders that it may open only whether they are fewer than all.
    $folders = array_filter(explode(PATH_SEPARATOR, (string) ini_get('open_basedir')), 'strlen');
    $answer['settings']['open_basedir'] = !$folders ? '' : (in_array('/', $folders, true) ? '/' : 'set');
    // Those that can be called, whatever took the others away.
    foreach (['exec', 'passthru', 'shell_exec', 'system', 'proc_open', 'popen'] as $name) {
        if (function_exists($name)) {
            $answer['functions'][] = $name;
        }
    }
    $answer['user'] = function_exists('posix_geteuid') ? posix_geteuid() : null;
    $answer['snuffleupagus'] = null;
    if (extension_loaded('snuffleupagus')) {
        // Whether its rules are read is said in phpinfo() alone.
        ob_start();
        (new ReflectionExtension('snuffleupagus'))->info();
        $answer['snuffleupagus'] = preg_match('/Valid config\W+yes/i', strip_tags((string) ob_get_clean())) === 1;
    }
    echo json_encode($answer);
    exit;
}

$answer = ['vitrin' => 1, 'php' => PHP_VERSION, 'loaded' => extension_loaded('Zend OPcache')];

foreach ([
    'enable', 'enable_file_override', 'file_cache_only', 'interned_strings_buffer', 'jit_buffer_size',
    'max_accelerated_files', 'max_file_size', 'max_wasted_percentage', 'memory_consumption', 'revalidate_freq',
    'save_comments', 'use_cwd', 'validate_permission', 'validate_timestamps',
] as $name) {
    $value = ini_get('opcache.' . $name);
    if (is_string($value)) {
        $answer['settings'][$name] = substr($value, 0, 32);
    }
}

$answer['callable'] = function_exists('opcache_get_status');
error_clear_last();
// `false`: without the list of scripts, which is megabytes for a shop.
$status = $answer['callable'] ? @opcache_get_status(false) : false;
// It answers `false` when it is off as well; only its warning tells the two apart.
$error = error_get_last();
$answer['restricted'] = $status === false && $error !== null && strpos($error['message'], 'restrict_api') !== false;
if (is_array($status)) {
    foreach (['opcache_enabled', 'cache_full', 'restart_pending', 'restart_in_progress'] as $name) {
        if (isset($status[$name])) {
            $answer['status'][$name] = (bool) $status[$name];
        }
    }
    foreach (['memory_usage', 'interned_strings_usage', 'opcache_statistics', 'jit'] as $part) {
        if (isset($status[$part]) && is_array($status[$part])) {
            $answer['status'][$part] = array_filter($status[$part], $part === 'jit' ? 'is_scalar' : 'is_numeric');
        }
    }
    // Lists of names, of which only the number matters.
    if (isset($status['preload_statistics'])) {
        $preload = $status['preload_statistics'];
        $answer['status']['preload'] = ['memory' => $preload['memory_consumption'] ?? 0];
        foreach (['functions', 'classes', 'scripts'] as $kind) {
            $answer['status']['preload'][$kind] = count($preload[$kind] ?? []);
        }
    }
}

echo json_encode($answer);
exit;
