# The ten most frequent words of the request's body.
tr -cs '[:alnum:]' '\n' | tr '[:upper:]' '[:lower:]' | awk 'NF { n[$0]++ } END { for (w in n) print n[w], w }' |
    sort -k1,1nr -k2 | awk 'NR <= 10 { printf "%7d %s\n", $1, $2 }'
