<?php
// How a page of the shop looks, and what becomes of one that fails.
declare(strict_types=1);

require __DIR__ . '/stores.php';

/** The shop is open or says that it is not; a stack trace is for the log. */
set_exception_handler(function (Throwable $error): void {
    error_log(get_class($error) . ': ' . $error->getMessage());
    page('Closed for a moment', '<p>Something that this page needs does not answer. Please try again soon.</p>', 503, 'Shop');
});
set_error_handler(fn (int $level, string $text, string $file, int $line) =>
    (error_reporting() & $level) === 0 ? false : throw new ErrorException($text, 0, $level, $file, $line));

function h(mixed $text): string
{
    return htmlspecialchars((string) $text, ENT_QUOTES);
}

function price(int|string|null $cents): string
{
    return number_format((int) $cents / 100, 2) . ' €';
}

/** An argument of the page's address, or a field of a form. */
function given(string $name): string
{
    $value = $_POST[$name] ?? $_GET[$name] ?? '';
    return is_string($value) ? $value : '';
}

function go(string $address): void
{
    header("Location: $address", true, 302);
}

/** Visitors without a session may get what another one got; nginx keeps it for so long. */
function shared(int $seconds): void
{
    header("X-Accel-Expires: $seconds");
}

function page(string $title, string $body, int $status = 200, ?string $shop = null): void
{
    // Whatever a page is about, it needs these.
    $shop = h($shop ?? setting('name'));
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    [$title, $link] = [h($title), '/index.php?route='];
    echo <<<HTML
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>$title – $shop</title>
        <link rel="stylesheet" href="/catalog/view/shop.css">
        <link rel="icon" href="/image/shop.svg">
        </head>
        <body>
        <header>
        <a class="name" href="/"><img src="/image/shop.svg" alt="" width="28" height="28"> $shop</a>
        <form action="/index.php">
        <input type="hidden" name="route" value="product/search">
        <input type="search" name="search" placeholder="Search" aria-label="Search">
        </form>
        <nav><a href="{$link}checkout/cart">Cart</a> <a href="{$link}account/account">Account</a> <a href="/admin/">Admin</a></nav>
        </header>
        <main>
        <h1>$title</h1>
        $body
        </main>
        </body>
        </html>

        HTML;
}

function json(mixed $answer, int $status = 200): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($answer), "\n";
}
