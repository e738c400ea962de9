<?php
// Where the shop keeps what it knows: the database, and Redis for what is asked often and for sessions.
// The environment says where they are: SHOP_DB_SOCKET, or SHOP_DB_HOST; SHOP_DB_USER, SHOP_DB_PASSWORD; SHOP_REDIS.
declare(strict_types=1);

/** What is said by Redis when it cannot be asked. */
final class RedisGone extends RuntimeException {}

/** Redis by its own protocol. A request that found it silent does not wait for it again. */
final class RedisClient
{
    /** @var resource|null */
    private $stream = null;
    private bool $gone = false;

    public function __construct(private string $address) {}

    public function ask(string ...$words): ?string
    {
        if ($this->gone) {
            throw new RedisGone('Redis did not answer a moment ago');
        }
        try {
            $this->stream ??= $this->connected();
            $request = '*' . count($words) . "\r\n";
            foreach ($words as $word) {
                $request .= '$' . strlen($word) . "\r\n$word\r\n";
            }
            fwrite($this->stream, $request);
            return $this->reply();
        } catch (RedisGone $gone) {
            $this->gone = true;
            throw $gone;
        }
    }

    /** @return resource */
    private function connected()
    {
        $stream = @stream_socket_client($this->address, $number, $text, 0.3);
        if (!$stream) {
            throw new RedisGone("Redis at $this->address: $text");
        }
        stream_set_timeout($stream, 0, 300_000);
        return $stream;
    }

    private function reply(): ?string
    {
        $line = fgets($this->stream);
        if ($line === false) {
            throw new RedisGone("Redis at $this->address does not answer");
        }
        [$kind, $rest] = [$line[0], rtrim(substr($line, 1))];
        if ($kind === '-') {
            throw new RedisGone("Redis at $this->address: $rest");
        }
        if ($kind !== '$') {
            return $rest;
        }
        if ($rest === '-1') {
            return null;
        }
        $value = stream_get_contents($this->stream, (int) $rest + 2);
        if (strlen((string) $value) !== (int) $rest + 2) {
            throw new RedisGone("Redis at $this->address stopped in the middle");
        }
        return substr($value, 0, -2);
    }
}

function redis(): RedisClient
{
    static $redis = null;
    return $redis ??= new RedisClient(getenv('SHOP_REDIS') ?: 'tcp://127.0.0.1:6379');
}

/** What `$make` gives, remembered for so long. Without Redis it is made each time. */
function cached(string $key, int $seconds, callable $make): mixed
{
    try {
        $kept = redis()->ask('GET', "cache:$key");
        if ($kept !== null) {
            return json_decode($kept, true);
        }
        $made = $make();
        redis()->ask('SET', "cache:$key", json_encode($made), 'EX', (string) $seconds);
        return $made;
    } catch (RedisGone) {
        return $made ?? $make();
    }
}

function db(): mysqli
{
    static $db = null;
    if ($db === null) {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $db = mysqli_init();
        $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 2);
        $db->options(MYSQLI_OPT_READ_TIMEOUT, 5);
        $db->real_connect(
            getenv('SHOP_DB_HOST') ?: 'localhost',
            getenv('SHOP_DB_USER') ?: 'shop',
            getenv('SHOP_DB_PASSWORD') ?: '',
            'shop',
            (int) (getenv('SHOP_DB_PORT') ?: 3306),
            getenv('SHOP_DB_SOCKET') ?: null,
        );
        $db->set_charset('utf8mb4');
    }
    return $db;
}

/** The rows of a statement's answer; none for one that only changes. */
function rows(string $sql, mixed ...$values): array
{
    $statement = db()->prepare($sql);
    $statement->execute($values);
    $result = $statement->get_result();
    return $result ? $result->fetch_all(MYSQLI_ASSOC) : [];
}

/** What the shopkeeper has set, from the cache: the database would be asked by every page. */
function setting(string $name): string
{
    return cached('settings', 600, fn () => array_column(rows('SELECT name, value FROM settings'), 'value', 'name'))[$name] ?? '';
}

/** A visitor's session, which begins when there is something to remember. Its cookie is called as OpenCart's. */
final class Session
{
    private const COOKIE = 'OCSESSID';
    private const SECONDS = '1800';
    private ?string $id = null;
    public array $data = [];

    /** Reads it, if the visitor has one. */
    public function __construct()
    {
        $id = $_COOKIE[self::COOKIE] ?? '';
        if (is_string($id) && preg_match('/^[0-9a-f]{32}$/', $id)) {
            $kept = redis()->ask('GET', "session:$id");
            if ($kept !== null) {
                [$this->id, $this->data] = [$id, json_decode($kept, true)];
            }
        }
    }

    public function keep(): void
    {
        if ($this->id === null) {
            $this->id = bin2hex(random_bytes(16));
            setcookie(self::COOKIE, $this->id, ['path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
        }
        redis()->ask('SET', "session:$this->id", json_encode($this->data), 'EX', self::SECONDS);
    }

    /** A new name for the same session, so that one known from before a login is worth nothing. */
    public function rename(): void
    {
        if ($this->id !== null) {
            redis()->ask('DEL', "session:$this->id");
            $this->id = null;
        }
        $this->keep();
    }
}

function session(): Session
{
    static $session = null;
    return $session ??= new Session();
}

/** The customer with this address and password, or null. */
function customer(string $email, string $password): ?array
{
    $found = rows('SELECT id, name, password_hash, is_admin FROM customers WHERE email = ?', $email)[0] ?? null;
    return $found && password_verify($password, $found['password_hash']) ? $found : null;
}
