package com.openfaas.model;

public interface IHandler {
    /** Answers one request; called by several threads at a time. */
    IResponse Handle(IRequest request);
}
