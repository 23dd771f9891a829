<?php

namespace App;

class Handler
{
    public function handle(string $data): string
    {
        return $data;
    }
}
