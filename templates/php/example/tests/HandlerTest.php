<?php
// Run at every build, with all files called *Test.php; the build argument TEST_ENABLED=false turns that off.

require __DIR__ . '/../src/Handler.php';

if (!method_exists('App\Handler', 'handle')) {
    fwrite(STDERR, "there is no handler\n");
    exit(1);
}

// What your function promises, for example:
//
// if ((new App\Handler())->handle('hello') !== 'hello') {
//     fwrite(STDERR, "the body does not come back\n");
//     exit(1);
// }
