{{/* The namespace of the document, and of all but what is for the whole cluster. */}}
{{- define "clusterset.namespace" -}}
{{- if eq .Values.mode "kubeSystem" -}}kube-system{{- else -}}{{ .Release.Namespace }}{{- end -}}
{{- end }}

{{/* The ServiceAccount that CoreDNS runs as. */}}
{{- define "clusterset.account" -}}
{{- if eq .Values.mode "kubeSystem" -}}coredns{{- else -}}clusterset{{- end -}}
{{- end }}

{{/* The ClusterRole. A cluster that changes from one form to the other has both for a while. */}}
{{- define "clusterset.role" -}}
{{- if eq .Values.mode "kubeSystem" -}}clusterset{{- else -}}clusterset-stand-alone{{- end -}}
{{- end }}

{{- define "clusterset.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}

{{/* The Corefile of the mode, with the local cluster and the namespace written in. */}}
{{- define "clusterset.corefile" -}}
{{- $text := .Values.corefile | default (.Files.Get (printf "files/%s.Corefile" .Values.mode)) -}}
{{- if .Values.local -}}
{{- $text = $text | replace "# local cluster1\n" (printf "local %s\n" .Values.local) -}}
{{- end -}}
{{- $text | replace "configmap clusterset/clusterset\n" (printf "configmap %s/clusterset\n" (include "clusterset.namespace" .)) -}}
{{- end }}

{{- define "clusterset.labels" -}}
app.kubernetes.io/name: clusterset
{{- end }}
