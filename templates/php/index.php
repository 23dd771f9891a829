<?php
// Runs the handler once: the request comes on standard input, the answer goes to standard output.
// A process can say two things beside the body: it went well (200) or it did not (500).

ini_set('display_errors', 'stderr');
error_reporting(E_ALL);

if (is_file(__DIR__ . '/function/vendor/autoload.php')) {
    require __DIR__ . '/function/vendor/autoload.php';
} else {
    // What composer.json says about App\, for functions that need no packages.
    spl_autoload_register(function (string $class): void {
        $file = __DIR__ . '/function/src/' . str_replace('\\', '/', substr($class, strlen('App\\'))) . '.php';
        if (strncmp($class, 'App\\', strlen('App\\')) === 0 && is_file($file)) {
            require $file;
        }
    });
}

// A warning is the function's own business; an exception ends in a 500, its trace in the logs.
set_exception_handler(function (Throwable $e): void {
    ob_end_clean();
    fwrite(STDERR, $e . "\n");
    exit(1);
});

ob_start(); // nothing is sent before it is known to be the answer
$answer = (new App\Handler())->handle(stream_get_contents(STDIN));
ob_end_flush();
fwrite(STDOUT, is_string($answer) || $answer === null ? (string) $answer : json_encode($answer, JSON_THROW_ON_ERROR));
