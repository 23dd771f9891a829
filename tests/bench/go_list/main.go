// The least that a Go program needs to list functions: net/http, encoding/json, and nothing of what
// the real CLI loads beside them (flags, YAML, Docker and Kubernetes types). It stands in for
// OpenFaaS's faas-cli where that cannot be had, and flatters it.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

type function struct {
	Name            string  `json:"name"`
	InvocationCount float64 `json:"invocationCount"`
	Replicas        uint64  `json:"replicas"`
}

func main() {
	login := base64.StdEncoding.EncodeToString([]byte("admin:" + os.Getenv("PASSWORD")))
	client := http.Client{Timeout: 60 * time.Second}
	req, err := http.NewRequest("GET", os.Getenv("OPENFAAS_URL")+"/system/functions", nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	req.Header.Set("Authorization", "Basic "+login)
	res, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer res.Body.Close()
	var functions []function
	if err := json.NewDecoder(res.Body).Decode(&functions); err != nil || res.StatusCode != 200 {
		fmt.Println(res.Status, err)
		os.Exit(1)
	}
	fmt.Printf("%-30s\t%-15s\t%-5s\n", "Function", "Invocations", "Replicas")
	for _, f := range functions {
		fmt.Printf("%-30s\t%-15d\t%-5d\n", f.Name, int64(f.InvocationCount), f.Replicas)
	}
}
